//! Marker segments around a scan (ITU-T T.81, B.1 and B.2).
//!
//! Application segments and comments are copied in order: those before the first scan, which may
//! define the color space and the orientation, stay before it, and the others after it. All other
//! segments are written anew.

use super::{HuffmanCode, Image, TableId};
use crate::block::ZIGZAG;
use crate::frame::{Component, Frame, MAX_COMPONENTS};
use crate::huffman::TableClass;
use crate::marker::{
    DHT, DQT, DRI, EOI, SOF0, SOF1, SOI, SOS, Segments, is_app_or_comment, write_segment,
};
use crate::tables::QuantizationTable;

/// Write all segments before the scan's data. Return the original's segments after its first scan
/// header.
pub(super) fn write_head<'a>(
    jpeg: &'a [u8],
    image: &Image,
    codes: &[HuffmanCode],
    out: &mut Vec<u8>,
) -> Segments<'a> {
    let mut segments = Segments::new(jpeg, 0);
    out.extend([0xff, SOI]);
    copy_segments_to_scan(&mut segments, out);
    let tables = QuantizationTables::new(image);
    let process = if tables.are_16_bit() { SOF1 } else { SOF0 };
    write_segment(DQT, &tables.definitions(), out);
    write_segment(process, &frame(&image.frame, &tables), out);
    write_segment(DHT, &huffman(codes), out);
    if image.has_restarts {
        // An MCU is at least 8 pixels wide, and the frame less than 65,536.
        let interval = image.frame.mcus().0 as u16;
        write_segment(DRI, &interval.to_be_bytes(), out);
    }
    write_segment(SOS, &scan(image), out);
    segments
}

/// Write all segments after the scan's data.
pub(super) fn write_tail(mut segments: Segments<'_>, out: &mut Vec<u8>) {
    while copy_segments_to_scan(&mut segments, out) {}
    out.extend([0xff, EOI]);
}

/// Copy application segments and comments up to the next scan. Return whether there is one.
fn copy_segments_to_scan(segments: &mut Segments<'_>, out: &mut Vec<u8>) -> bool {
    while let Ok(segment) = segments.next() {
        match segment.marker {
            SOS => return true,
            EOI => return false,
            marker if is_app_or_comment(marker) => write_segment(marker, segment.content, out),
            _ => {}
        }
    }
    false
}

/// Distinct quantization tables, and the number of each component's table.
struct QuantizationTables {
    tables: Vec<QuantizationTable>,
    numbers: [u8; MAX_COMPONENTS],
}

impl QuantizationTables {
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

    /// Whether some values exceed the 8 bits of baseline JPEG.
    fn are_16_bit(&self) -> bool {
        self.tables.iter().any(is_16_bit)
    }

    fn definitions(&self) -> Vec<u8> {
        let mut content = Vec::new();
        for (number, table) in (0..).zip(&self.tables) {
            let bytes = if is_16_bit(table) { 2 } else { 1 };
            content.push(number | (bytes - 1) << 4);
            for index in ZIGZAG {
                let value = table[usize::from(index)].to_be_bytes();
                content.extend(&value[2 - usize::from(bytes)..]);
            }
        }
        content
    }
}

fn is_16_bit(table: &QuantizationTable) -> bool {
    table.iter().any(|&value| value > 255)
}

fn frame(frame: &Frame, tables: &QuantizationTables) -> Vec<u8> {
    let [h1, h0] = (frame.height as u16).to_be_bytes();
    let [w1, w0] = (frame.width as u16).to_be_bytes();
    let components = frame.components();
    let mut content = vec![8, h1, h0, w1, w0, components.len() as u8];
    for (component, number) in components.iter().zip(tables.numbers) {
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

fn huffman(codes: &[HuffmanCode]) -> Vec<u8> {
    let mut content = Vec::new();
    // A group that the image does not have has no symbols.
    let used = TableId::all()
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
