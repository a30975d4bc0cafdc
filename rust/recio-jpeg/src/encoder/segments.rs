//! Marker segments around the scan, as libjpeg writes them (ITU-T T.81, B.2; JFIF 1.01).

use super::Layout;
use crate::block::ZIGZAG;
use crate::default_tables;
use crate::huffman::TableClass;
use crate::marker::{APP0, DHT, DQT, EOI, SOF0, SOI, SOS, write_segment};
use crate::tables::QuantizationTable;

/// JFIF 1.01, a pixel as wide as high, no thumbnail.
const JFIF: &[u8; 14] = b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0";

/// Write all segments before the scan's data.
pub(super) fn write_head(layout: &Layout, tables: &[QuantizationTable; 2], out: &mut Vec<u8>) {
    out.extend([0xff, SOI]);
    write_segment(APP0, JFIF, out);
    let groups = layout.components.len().min(2);
    for (number, table) in (0..).zip(&tables[..groups]) {
        write_segment(DQT, &quantization(number, table), out);
    }
    write_segment(SOF0, &frame(layout), out);
    for number in 0..groups {
        for (class, _, definition) in default_tables::TABLES.iter().filter(|t| t.1 == number) {
            let id = u8::from(*class == TableClass::Ac) << 4 | number as u8;
            write_segment(DHT, &[&[id], *definition].concat(), out);
        }
    }
    write_segment(SOS, &scan(layout), out);
}

pub(super) fn write_tail(out: &mut Vec<u8>) {
    out.extend([0xff, EOI]);
}

fn quantization(number: u8, table: &QuantizationTable) -> Vec<u8> {
    let steps = ZIGZAG.iter().map(|&index| table[usize::from(index)] as u8);
    [number].into_iter().chain(steps).collect()
}

fn frame(layout: &Layout) -> Vec<u8> {
    let [h1, h0] = (layout.height as u16).to_be_bytes();
    let [w1, w0] = (layout.width as u16).to_be_bytes();
    let mut content = vec![8, h1, h0, w1, w0, layout.components.len() as u8];
    for (number, component) in (0..).zip(&layout.components) {
        let factors = (component.horizontal << 4 | component.vertical) as u8;
        content.extend([number + 1, factors, number.min(1)]);
    }
    content
}

fn scan(layout: &Layout) -> Vec<u8> {
    let count = layout.components.len() as u8;
    let components = (0..count).flat_map(|number| [number + 1, 0x11 * number.min(1)]);
    [count]
        .into_iter()
        .chain(components)
        .chain([0, 63, 0])
        .collect()
}
