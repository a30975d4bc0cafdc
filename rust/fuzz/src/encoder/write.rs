//! Writer of segments and entropy-coded data (ITU-T T.81, annex B).

use super::blocks::Blocks;
use super::frame::Frame;
use super::huffman::{Codes, Table};
use super::script::Scan;
use super::tokens::{Selectors, Token, tokens};
use crate::fuzz_rng::FuzzRng;

/// Number of Huffman tables: four for DC, four for AC.
const TABLES: usize = 8;

/// Writer of a JPEG.
pub(super) struct Writer<'d, 'b> {
    jpeg: Vec<u8>,
    rng: &'d mut FuzzRng<'b>,
    tables: Vec<Option<Codes>>,
    restart_interval: usize,
}

impl<'d, 'b> Writer<'d, 'b> {
    /// Start a JPEG and write everything up to the frame header.
    pub(super) fn start(frame: &Frame, rng: &'d mut FuzzRng<'b>) -> Self {
        let mut writer = Self {
            jpeg: vec![0xff, 0xd8],
            rng,
            tables: vec![None; TABLES],
            restart_interval: 0,
        };
        if frame.has_jfif {
            writer.segment(0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
        }
        if let Some(transform) = frame.adobe {
            writer.segment(0xee, &[b"Adobe\0\x64\0\0\0\0", &[transform][..]].concat());
        }
        let is_early = writer.rng.one_in(2);
        if is_early {
            writer.quantization();
        }
        writer.frame(frame);
        if !is_early {
            writer.quantization();
        }
        writer
    }

    /// Write a scan, after the tables that it needs.
    pub(super) fn scan(&mut self, frame: &Frame, blocks: &Blocks, scan: &Scan) {
        self.comment();
        self.choose_restart_interval();
        let selectors = self.choose_selectors(frame, scan);
        let tokens = tokens(
            frame,
            blocks,
            scan,
            &selectors,
            self.restart_interval,
            self.rng,
        );
        self.define_tables(&tokens);
        let component_selectors = scan.components.iter().zip(&selectors);
        let component_selectors = component_selectors
            .flat_map(|(&i, &(dc, ac))| [frame.components[i].id, (dc << 4 | ac) as u8]);
        let band = [
            scan.first as u8,
            scan.last as u8,
            (scan.high << 4 | scan.low) as u8,
        ];
        let header = [scan.components.len() as u8].into_iter();
        self.segment(
            0xda,
            &header
                .chain(component_selectors)
                .chain(band)
                .collect::<Vec<_>>(),
        );
        self.data(&tokens);
    }

    /// Finish the JPEG.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.jpeg.extend([0xff, 0xd9]);
        if self.rng.one_in(8) {
            self.jpeg.extend([0, 0xff, 0xd8, 1]);
        }
        self.jpeg
    }

    fn segment(&mut self, marker: u8, content: &[u8]) {
        if self.rng.one_in(16) {
            self.jpeg.push(0xff);
        }
        self.jpeg.extend([0xff, marker]);
        self.jpeg.extend((content.len() as u16 + 2).to_be_bytes());
        self.jpeg.extend(content);
    }

    fn comment(&mut self) {
        if self.rng.one_in(16) {
            self.segment(0xfe, b"\xff\xd9\xff\xda");
        }
    }

    fn frame(&mut self, frame: &Frame) {
        let [h1, h0] = (frame.height as u16).to_be_bytes();
        let [w1, w0] = (frame.width as u16).to_be_bytes();
        let components = frame.components.iter().flat_map(|component| {
            let factors = component.horizontal << 4 | component.vertical;
            [component.id, factors as u8, component.quantization as u8]
        });
        let header = [8, h1, h0, w1, w0, frame.components.len() as u8];
        let content: Vec<u8> = header.into_iter().chain(components).collect();
        self.segment(frame.marker, &content);
    }

    fn quantization(&mut self) {
        for number in 0..4 {
            let is_wide = self.rng.one_in(4);
            let max = self.rng.pick(&[1, 2, 16, 99, 255, 255, 4095, 65535]);
            let max: usize = if is_wide { max } else { max.min(255) };
            let is_steep = self.rng.one_in(2);
            let mut rng = self.rng.fork();
            let mut content = vec![u8::from(is_wide) << 4 | number];
            for k in 0..64 {
                let max = if is_steep { (max * k / 64).max(1) } else { max };
                let divisor = rng.between(1, max) as u16;
                content.extend(&divisor.to_be_bytes()[usize::from(!is_wide)..]);
            }
            self.segment(0xdb, &content);
        }
    }

    fn choose_restart_interval(&mut self) {
        if self.rng.one_in(4) {
            self.restart_interval = self.rng.pick(&[0, 1, 2, 3, 5, 8, 100]);
            self.segment(0xdd, &(self.restart_interval as u16).to_be_bytes());
        }
    }

    /// Choose tables for each component. A progressive scan of AC coefficients uses one table.
    fn choose_selectors(&mut self, frame: &Frame, scan: &Scan) -> Selectors {
        let max = if frame.marker == 0xc0 { 2 } else { 4 };
        let selectors = scan.components.iter();
        selectors
            .map(|_| (self.rng.below(max), self.rng.below(max)))
            .collect()
    }

    /// Define the used tables that are undefined, and others at random.
    fn define_tables(&mut self, tokens: &[Token]) {
        let mut used = [[false; 256]; TABLES];
        for token in tokens {
            if let &Token::Symbol(table, symbol) = token {
                used[table][usize::from(symbol)] = true;
            }
        }
        for (number, used) in used
            .iter()
            .enumerate()
            .filter(|(_, used)| used.contains(&true))
        {
            let has_all = |codes: &Codes| {
                codes
                    .iter()
                    .zip(used)
                    .all(|(code, &used)| code.is_some() || !used)
            };
            if self.tables[number].as_ref().is_some_and(has_all) && self.rng.one_in(2) {
                continue;
            }
            let table = Table::random(used, number < 4, self.rng);
            let (class, number_in_class) = (number / 4, number % 4);
            let header = [(class << 4 | number_in_class) as u8];
            self.segment(0xc4, &[&header[..], &table.definition()].concat());
            self.tables[number] = Some(table.codes());
        }
    }

    fn data(&mut self, tokens: &[Token]) {
        let mut bits = Bits {
            out: &mut self.jpeg,
            reservoir: 0,
            count: 0,
        };
        let pad = if self.rng.one_in(8) { 0 } else { 0x7f };
        let mut restarts = 0;
        for token in tokens {
            match *token {
                Token::Symbol(table, symbol) => {
                    let codes = self.tables[table]
                        .as_ref()
                        .expect("tables are defined before the data");
                    let (code, length) =
                        codes[usize::from(symbol)].expect("a table has all used symbols");
                    bits.put(code, length);
                }
                Token::Bits(value, count) => bits.put(value, count),
                Token::Restart => {
                    bits.flush(pad);
                    bits.out.extend([0xff, 0xd0 + restarts % 8]);
                    restarts = restarts.wrapping_add(1);
                }
            }
        }
        bits.flush(pad);
    }
}

/// Bit writer for entropy-coded data.
struct Bits<'o> {
    out: &'o mut Vec<u8>,
    reservoir: u64,
    count: u32,
}

impl Bits<'_> {
    /// Append the lowest bits of a number.
    fn put(&mut self, value: u32, count: u32) {
        let value = u64::from(value) & ((1 << count) - 1);
        self.reservoir = self.reservoir << count | value;
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            self.byte((self.reservoir >> self.count) as u8);
        }
    }

    /// Fill the last byte.
    fn flush(&mut self, pad: u32) {
        let count = (8 - self.count % 8) % 8;
        self.put(pad, count);
    }

    fn byte(&mut self, byte: u8) {
        self.out.push(byte);
        if byte == 0xff {
            self.out.push(0);
        }
    }
}
