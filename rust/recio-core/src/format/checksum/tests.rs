use super::codec::{ENTRY, FOOT, HEAD};
use super::*;
use crate::error::Result;

fn three() -> Checksums {
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

/// The bytes with their last four made the CRC of the others.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let foot = bytes.len() - FOOT;
    let crc = crc32c::crc32c(&bytes[..foot]);
    bytes[foot..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

#[test]
fn the_format_is_that_of_the_table() {
    let mut sums = Checksums::default();
    sums.push(0, b"123456789");
    // The check value of CRC32C in every catalogue of CRCs.
    let mut expected = b"RECIORS1".to_vec();
    for number in [1u64, 9, 0] {
        expected.extend(number.to_le_bytes());
    }
    expected.extend(0xe306_9283u32.to_le_bytes());
    expected.extend([0; 4]);
    assert_eq!(bytes_of(&sums), sealed(expected));
}

#[test]
fn what_is_written_is_read_again() {
    for sums in [Checksums::default(), three()] {
        assert_eq!(read(&bytes_of(&sums)).unwrap(), sums);
    }
}

#[test]
fn more_entries_than_are_read_at_a_time_are_read() {
    let mut sums = Checksums::default();
    (0..200_000).for_each(|i| sums.push(8 * i, &(8 * i).to_le_bytes()));
    assert_eq!(read(&bytes_of(&sums)).unwrap(), sums);
}

#[test]
fn a_record_is_found_by_where_it_begins() {
    let sums = three();
    let entry = sums.get(8).unwrap();
    assert_eq!((entry.end, entry.crc), (20, crc(b"123456789abc")));
    assert_eq!(sums.get(20).unwrap().end, sums.file_len());
    assert_eq!(sums.get(12), None);
    assert_eq!(sums.entries().nth(1), Some(entry));
}

#[test]
fn every_flipped_bit_and_every_cut_is_an_error() {
    let bytes = bytes_of(&three());
    for bit in 0..8 * bytes.len() {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&flipped).is_err(), "bit {bit}");
    }
    for len in 0..bytes.len() {
        assert!(read(&bytes[..len]).is_err(), "cut at {len}");
    }
}

#[test]
fn offsets_where_no_record_can_begin_are_refused_though_the_crc_is_right() {
    let with = |at: usize, number: u64| {
        let mut bytes = bytes_of(&three());
        bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
        read(&sealed(bytes)).unwrap_err().to_string()
    };
    let second = HEAD + ENTRY;
    for (at, number) in [
        (HEAD, 4),
        (second, 0),
        (second, 4),
        (second, 10),
        (second, 24),
        (second, u64::MAX - 3),
        (16, 24),
    ] {
        let error = with(at, number);
        assert!(error.contains("no record can begin"), "{error}");
    }
}

#[test]
fn a_count_that_the_file_does_not_have_allocates_nothing() {
    for records in [0u64, 2, 4, u64::MAX, u64::MAX / 12] {
        let mut bytes = bytes_of(&three());
        bytes[8..16].copy_from_slice(&records.to_le_bytes());
        let error = read(&sealed(bytes)).unwrap_err().to_string();
        assert!(error.contains("truncated?"), "{error}");
    }
}
