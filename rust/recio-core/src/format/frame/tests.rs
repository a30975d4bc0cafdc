use super::fragment::LEN_BITS;
use super::magic::{MAGIC_BYTES, first_magic_word};
use super::*;

const MAGIC_WORD: &[u8] = &MAGIC_BYTES;

fn encoded(record: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode(record, &mut out).unwrap();
    out
}

fn decoded(mut bytes: Vec<u8>) -> Result<Vec<u8>, (usize, FrameError)> {
    let left = bytes.len() as u64;
    match check(&bytes, left, None)? {
        Progress::Complete(end) => {
            let range = join_fragments(&mut bytes[..end]);
            Ok(bytes[range].to_vec())
        }
        progress @ Progress::NeedsMore(_) => panic!("{progress:?} of {left}"),
    }
}

fn fragments(fragments: &[(u32, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (flag, data) in fragments {
        out.extend_from_slice(MAGIC_WORD);
        out.extend_from_slice(&(flag << LEN_BITS | data.len() as u32).to_le_bytes());
        out.extend_from_slice(data);
        out.resize(out.len().next_multiple_of(4), 0);
    }
    out
}

#[test]
fn frames_equal_those_of_mxnet() {
    let cases: [(&[u8], Vec<u8>); 6] = [
        (b"", fragments(&[(0, b"")])),
        (b"a", fragments(&[(0, b"a")])),
        (MAGIC_WORD, fragments(&[(1, b""), (3, b"")])),
        (
            &[b"AAAA", MAGIC_WORD, b"xyz"].concat(),
            fragments(&[(1, b"AAAA"), (3, b"xyz")]),
        ),
        (
            &[MAGIC_WORD, MAGIC_WORD].concat(),
            fragments(&[(1, b""), (2, b""), (3, b"")]),
        ),
        (
            &[b"A", MAGIC_WORD, b"BBB"].concat(),
            fragments(&[(0, &[b"A", MAGIC_WORD, b"BBB"].concat())]),
        ),
    ];
    for (record, frame) in cases {
        assert_eq!(encoded(record), frame);
        assert_eq!(decoded(frame).unwrap(), record);
    }
}

#[test]
fn fragments_out_of_order_are_errors() {
    let error = |pieces: &[(u32, &[u8])]| decoded(fragments(pieces)).unwrap_err();
    assert_eq!(
        error(&[(2, b"")]),
        (0, FrameError::MissingFirst(FragmentKind::Middle))
    );
    assert_eq!(
        error(&[(3, b"")]),
        (0, FrameError::MissingFirst(FragmentKind::Last))
    );
    assert_eq!(
        error(&[(1, b"abcd"), (0, b"")]),
        (12, FrameError::MissingLast(FragmentKind::Full))
    );
    assert_eq!(
        error(&[(1, b"abcde"), (3, b"")]),
        (0, FrameError::Unaligned(5))
    );
    assert_eq!(error(&[(5, b"")]), (0, FrameError::Flag(5)));
    assert_eq!(error(&[(1, b"")]), (8, FrameError::TruncatedHeader(0)));
}

#[test]
fn damage_around_the_data_is_an_error() {
    let mut bytes = fragments(&[(0, b"a")]);
    bytes[10] = 1;
    assert_eq!(decoded(bytes).unwrap_err(), (0, FrameError::Padding(1)));
    let mut truncated = fragments(&[(0, b"abcdefgh")]);
    truncated.truncate(12);
    assert_eq!(
        decoded(truncated).unwrap_err(),
        (0, FrameError::Truncated { len: 8, left: 4 })
    );
    let junk = [fragments(&[(0, b"a")]), b"junkjunk".to_vec()].concat();
    assert_eq!(
        decoded(junk).unwrap_err(),
        (0, FrameError::InvalidNext(b"junkjunk".to_vec()))
    );
}

#[test]
fn a_length_that_includes_the_next_record_is_an_error() {
    let mut bytes = [fragments(&[(0, b"abcd")]), fragments(&[(0, b"efgh")])].concat();
    bytes[4] = 16;
    assert_eq!(decoded(bytes).unwrap_err(), (0, FrameError::MagicInside(4)));
}

#[test]
fn aligned_magic_words_are_found_at_any_position() {
    for len in 0..200 {
        for at in 0..len {
            let mut data = vec![7; len + 4];
            data[at..at + 4].copy_from_slice(MAGIC_WORD);
            let expected = at.is_multiple_of(4).then_some(at);
            assert_eq!(first_magic_word(&data), expected, "at {at} of {len}");
        }
    }
}

#[test]
fn a_too_large_length_is_an_error_before_its_bytes_are_read() {
    let mut bytes = [fragments(&[(0, b"abcd")]), fragments(&[(0, b"efgh")])].concat();
    bytes[7] = 1;
    let error = check(&bytes, 1 << 30, None).unwrap_err();
    assert_eq!(error, (0, FrameError::MagicInside(4)));
}

#[test]
fn a_record_before_a_truncated_header_is_valid() {
    for cut in 0..HEADER_LEN {
        let bytes = [
            fragments(&[(0, b"abcd")]),
            fragments(&[(0, b"")])[..cut].to_vec(),
        ]
        .concat();
        assert_eq!(decoded(bytes).unwrap(), b"abcd");
    }
}

#[test]
fn incomplete_frames_need_more_bytes() {
    let bytes = encoded(&[0; 100]);
    assert_eq!(check(&bytes[..4], 108, None), Ok(Progress::NeedsMore(8)));
    assert_eq!(check(&bytes[..8], 108, None), Ok(Progress::NeedsMore(108)));
    assert_eq!(check(&bytes[..8], 200, None), Ok(Progress::NeedsMore(116)));
    assert_eq!(check(&bytes, 200, None), Ok(Progress::NeedsMore(116)));
}

#[test]
fn a_record_that_ends_at_its_listed_end_is_valid_whatever_follows() {
    let bytes = [fragments(&[(0, b"abcd")]), b"junkjunk".to_vec()].concat();
    assert_eq!(check(&bytes, 20, Some(12)), Ok(Progress::Complete(12)));
    assert!(check(&bytes, 20, Some(16)).is_err());
    assert!(check(&bytes, 20, None).is_err());
}

#[test]
fn a_record_too_long_for_its_length_word_is_an_error() {
    let mut out = Vec::new();
    let record = vec![0; MAX_RECORD_LEN + 1];
    assert_eq!(encode(&record, &mut out), Err(FrameError::TooLong(1 << 29)));
    assert!(out.is_empty());
}
