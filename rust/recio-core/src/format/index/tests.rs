use std::io::Cursor;

use super::text::CHUNK;
use super::*;

fn load(text: &[u8], rec_len: Option<u64>) -> Result<Index> {
    Index::from_reader(Cursor::new(text), rec_len)
}

fn reason(text: &str, rec_len: Option<u64>) -> String {
    load(text.as_bytes(), rec_len).unwrap_err().to_string()
}

#[test]
fn lines_of_other_writers_are_read() {
    let index = load(b"7\t0\n3 8\textra\r\n  4\t\t20", None).unwrap();
    assert_eq!(index.len(), 3);
    assert_eq!(index.offset(3).unwrap(), 8);
    assert_eq!(
        index
            .in_file_order()
            .iter()
            .map(|entry| entry.key)
            .collect::<Vec<_>>(),
        [7, 3, 4]
    );
    assert!(matches!(
        index.offset(5).unwrap_err().kind(),
        ErrorKind::UnknownKey(5)
    ));
    assert!(load(b"", None).unwrap().is_empty());
}

#[test]
fn the_next_record_is_that_of_the_next_offset_whatever_its_key() {
    let index = load(b"5\t0\n9\t8\n1\t20\n", None).unwrap();
    let next = [0, 8, 20].map(|offset| index.next_offset(offset));
    assert_eq!(next, [Some(8), Some(20), None]);
}

#[test]
fn the_distance_is_that_to_the_record_of_the_next_key() {
    let index = load(b"5\t0\n6\t8\n9\t100\n10\t20\n", None).unwrap();
    let distances = [5, 6, 9, 10].map(|key| index.offset_and_distance(key).unwrap());
    assert_eq!(
        distances,
        [(0, Some(8)), (8, Some(92)), (100, None), (20, None)]
    );
    for key in [4, 7, 8, 11, u64::MAX] {
        assert!(index.offset_and_distance(key).is_err());
    }
}

#[test]
fn plain_lines_are_parsed_as_any_others() {
    for line in [
        "0\t0",
        "18446744073709551615\t8",
        "18446744073709551616\t8",
        "9999999999999999999\t4",
        "00000000000000000000001\t4",
        "1\t",
        "\t1",
        "1 4",
        "1\t4 ",
        "1\t4\t5",
        "+1\t4",
        "",
        "1",
    ] {
        let line = line.as_bytes();
        assert_eq!(super::text::parse(line), super::text::parse_any(line));
    }
}

#[test]
fn errors_name_the_line() {
    for (text, expected) in [
        (
            "0\t0\nx\t8\n",
            "line 2: the key must be an integer from 0 to 2^64-1, got \"x\"",
        ),
        (
            "-1\t0\n",
            "line 1: the key must be an integer from 0 to 2^64-1, got \"-1\"",
        ),
        (
            "0\t0.0\n",
            "line 1: the offset must be an integer from 0 to 2^64-1, got \"0.0\"",
        ),
        (
            "0\t18446744073709551616\n",
            "must be an integer from 0 to 2^64-1",
        ),
        ("0\n", "line 1: a key without an offset"),
        ("0\t6\n", "the offset 6 is not a multiple of 4"),
        (
            "0\t100\n",
            "the offset 100 is past the end of the .rec file (100 bytes)",
        ),
        ("5\t0\n5\t8\n", "line 2: duplicate key 5, first in line 1"),
        (
            "5\t8\n6\t8\n",
            "line 2: duplicate offset 8, first in line 1",
        ),
    ] {
        assert!(
            reason(text, Some(100)).contains(expected),
            "{}",
            reason(text, Some(100))
        );
    }
}

#[test]
fn a_line_without_end_is_an_error_before_it_is_read_completely() {
    assert!(
        load(&vec![b'1'; 3 * CHUNK], None)
            .unwrap_err()
            .to_string()
            .contains("longer than 4096 bytes")
    );
}

#[test]
fn lines_across_chunks_are_read() {
    let entries: Vec<Entry> = (0..200_000)
        .map(|key| Entry {
            key,
            offset: key * 8,
        })
        .collect();
    let mut text = Vec::new();
    write_to(&entries, &mut text).unwrap();
    let index = load(&text, None).unwrap();
    assert_eq!(
        (index.len(), index.offset(199_999).unwrap()),
        (200_000, 1_599_992)
    );
}

#[test]
fn an_entry_takes_sixteen_bytes() {
    assert_eq!(size_of::<Entry>(), 16);
}
