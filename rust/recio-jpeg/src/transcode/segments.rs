//! The segments around a scan (ITU-T T.81, B.1 and B.2).
//!
//! Those of applications and comments are the original's, in their order: those before its first scan, which may tell
//! colors and the way up, stay before the scan, and those behind it behind. All others are written anew.

use super::{Code, Image, Table};
use crate::block::ZIGZAG;
use crate::frame::{Component, Frame, MAX_COMPONENTS};
use crate::huffman::TableClass;
use crate::marker::{DHT, DQT, DRI, EOI, SOF0, SOF1, SOI, SOS, Segments, is_app_or_comment};
use crate::tables::QuantizationTable;

/// Writes all that stands before the scan's data. Gives what of the original follows its first scan's header.
pub(super) fn write_head<'a>(
    jpeg: &'a [u8],
    image: &Image,
    codes: &[Code],
    out: &mut Vec<u8>,
) -> Segments<'a> {
    let mut segments = Segments::new(jpeg, 0);
    out.extend([0xff, SOI]);
    copy_up_to_scan(&mut segments, out);
    let steps = Steps::new(image);
    let process = if steps.are_wide() { SOF1 } else { SOF0 };
    write(DQT, &steps.definitions(), out);
    write(process, &frame(&image.frame, &steps), out);
    write(DHT, &huffman(codes), out);
    // An MCU has 8 pixels a side or more, and the frame fewer than 65,536.
    let interval = image.frame.mcus().0 as u16;
    write(DRI, &interval.to_be_bytes(), out);
    write(SOS, &scan(image), out);
    segments
}

/// Writes all that stands behind the scan's data.
pub(super) fn write_tail(mut segments: Segments<'_>, out: &mut Vec<u8>) {
    while copy_up_to_scan(&mut segments, out) {}
    out.extend([0xff, EOI]);
}

/// Gives whether there is a scan.
fn copy_up_to_scan(segments: &mut Segments<'_>, out: &mut Vec<u8>) -> bool {
    while let Ok(segment) = segments.next() {
        match segment.marker {
            SOS => return true,
            EOI => return false,
            marker if is_app_or_comment(marker) => write(marker, segment.content, out),
            _ => {}
        }
    }
    false
}

/// Writes a segment, whose content is shorter than 65,534 bytes.
fn write(marker: u8, content: &[u8], out: &mut Vec<u8>) {
    out.extend([0xff, marker]);
    out.extend((content.len() as u16 + 2).to_be_bytes());
    out.extend(content);
}

/// The quantization tables, each once, and each component's number among them.
struct Steps {
    tables: Vec<QuantizationTable>,
    numbers: [u8; MAX_COMPONENTS],
}

impl Steps {
    fn new(image: &Image) -> Self {
        let mut tables = Vec::new();
        let mut numbers = [0; MAX_COMPONENTS];
        let components = image.frame.components().iter();
        for (number, (_, table)) in numbers.iter_mut().zip(components.zip(&image.quantization)) {
            let known = tables.iter().position(|known| known == table);
            *number = known.unwrap_or(tables.len()) as u8;
            if known.is_none() {
                tables.push(*table);
            }
        }
        Self { tables, numbers }
    }

    /// Whether some do not fit into baseline's 8 bits.
    fn are_wide(&self) -> bool {
        self.tables.iter().any(is_wide)
    }

    fn definitions(&self) -> Vec<u8> {
        let mut content = Vec::new();
        for (number, table) in (0..).zip(&self.tables) {
            let bytes = if is_wide(table) { 2 } else { 1 };
            content.push(number | (bytes - 1) << 4);
            for place in ZIGZAG {
                let step = table[usize::from(place)].to_be_bytes();
                content.extend(&step[2 - usize::from(bytes)..]);
            }
        }
        content
    }
}

fn is_wide(table: &QuantizationTable) -> bool {
    table.iter().any(|&step| step > 255)
}

fn frame(frame: &Frame, steps: &Steps) -> Vec<u8> {
    let [h1, h0] = (frame.height as u16).to_be_bytes();
    let [w1, w0] = (frame.width as u16).to_be_bytes();
    let components = frame.components();
    let mut content = vec![8, h1, h0, w1, w0, components.len() as u8];
    for (component, number) in components.iter().zip(steps.numbers) {
        let &Component {
            id,
            horizontal,
            vertical,
            ..
        } = component;
        content.extend([id, (horizontal << 4 | vertical) as u8, number]);
    }
    content
}

fn huffman(codes: &[Code]) -> Vec<u8> {
    let mut content = Vec::new();
    // A group that the image has not leaves no symbols.
    let used = Table::all()
        .zip(codes)
        .filter(|(_, code)| !code.symbols.is_empty());
    for (table, code) in used {
        let class = u8::from(table.class == TableClass::Ac);
        content.push(class << 4 | table.group as u8);
        content.extend(code.counts);
        content.extend(&code.symbols);
    }
    content
}

fn scan(image: &Image) -> Vec<u8> {
    let components = image.frame.components();
    let mut content = vec![components.len() as u8];
    for (component, group) in components.iter().zip(image.groups) {
        content.extend([component.id, (group << 4 | group) as u8]);
    }
    content.extend([0, 63, 0]);
    content
}
