use super::codec::{ENTRY, FOOTER, HEADER};
use super::*;
use crate::error::Result;

fn three_records() -> Checksums {
    let mut sums = Checksums::default();
    sums.push(0, b"12345678");
    sums.push(8, b"123456789abc");
    sums.push(20, b"87654321");
    sums
}

fn bytes_of(sums: &Checksums) -> Vec<u8> {
    let mut bytes = Vec::new();
    sums.write_to(&mut bytes).unwrap();
    bytes
}

fn read(bytes: &[u8]) -> Result<Checksums> {
    Checksums::from_reader(bytes, bytes.len() as u64)
}

/// Replaces the last four bytes by the CRC of the others.
fn with_crc(mut bytes: Vec<u8>) -> Vec<u8> {
    let footer = bytes.len() - FOOTER;
    let crc = crc32c::crc32c(&bytes[..footer]);
    bytes[footer..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

#[test]
fn the_bytes_are_those_of_the_documented_table() {
    let mut sums = Checksums::default();
    sums.push(0, b"123456789");
    let mut expected = b"RECIORS1".to_vec();
    for number in [1u64, 9, 0] {
        expected.extend(number.to_le_bytes());
    }
    // The check value of CRC32C in every catalog of CRCs.
    expected.extend(0xe306_9283u32.to_le_bytes());
    expected.extend([0; 4]);
    assert_eq!(bytes_of(&sums), with_crc(expected));
}

#[test]
fn checksums_survive_a_round_trip() {
    for sums in [Checksums::default(), three_records()] {
        assert_eq!(read(&bytes_of(&sums)).unwrap(), sums);
    }
}

#[test]
fn entries_are_read_in_several_chunks() {
    let mut sums = Checksums::default();
    (0..200_000).for_each(|i| sums.push(8 * i, &(8 * i).to_le_bytes()));
    assert_eq!(read(&bytes_of(&sums)).unwrap(), sums);
}

#[test]
fn entries_are_found_by_offset() {
    let sums = three_records();
    let entry = sums.get(8).unwrap();
    assert_eq!((entry.end, entry.crc), (20, crc(b"123456789abc")));
    assert_eq!(sums.get(20).unwrap().end, sums.file_len());
    assert_eq!(sums.get(12), None);
    assert_eq!(sums.entries().nth(1), Some(entry));
}

#[test]
fn flipped_bits_and_truncation_are_errors() {
    let bytes = bytes_of(&three_records());
    for bit in 0..8 * bytes.len() {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&flipped).is_err(), "bit {bit}");
    }
    for len in 0..bytes.len() {
        assert!(read(&bytes[..len]).is_err(), "truncated to {len}");
    }
}

#[test]
fn invalid_offsets_are_errors_even_if_the_crc_matches() {
    let error_with = |at: usize, number: u64| {
        let mut bytes = bytes_of(&three_records());
        bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
        read(&with_crc(bytes)).unwrap_err().to_string()
    };
    let second = HEADER + ENTRY;
    for (at, number) in [
        (HEADER, 4),
        (second, 0),
        (second, 4),
        (second, 10),
        (second, 24),
        (second, u64::MAX - 3),
        (16, 24),
    ] {
        let error = error_with(at, number);
        assert!(error.contains("no record can begin"), "{error}");
    }
}

#[test]
fn a_count_that_contradicts_the_file_length_is_an_error() {
    for records in [0u64, 2, 4, u64::MAX, u64::MAX / 12] {
        let mut bytes = bytes_of(&three_records());
        bytes[8..16].copy_from_slice(&records.to_le_bytes());
        let error = read(&with_crc(bytes)).unwrap_err().to_string();
        assert!(error.contains("truncated?"), "{error}");
    }
}
