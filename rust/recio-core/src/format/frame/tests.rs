use super::fragment::LEN_BITS;
use super::magic::{MAGIC_BYTES, first_magic_word};
use super::*;

const M: &[u8] = &MAGIC_BYTES;

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
        needs @ Progress::NeedsMore(_) => panic!("{needs:?} of {left}"),
    }
}

fn parts(parts: &[(u32, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (flag, data) in parts {
        out.extend_from_slice(M);
        out.extend_from_slice(&(flag << LEN_BITS | data.len() as u32).to_le_bytes());
        out.extend_from_slice(data);
        out.resize(out.len().next_multiple_of(4), 0);
    }
    out
}

#[test]
fn frames_are_those_of_mxnet() {
    let cases: [(&[u8], Vec<u8>); 6] = [
        (b"", parts(&[(0, b"")])),
        (b"a", parts(&[(0, b"a")])),
        (M, parts(&[(1, b""), (3, b"")])),
        (
            &[b"AAAA", M, b"xyz"].concat(),
            parts(&[(1, b"AAAA"), (3, b"xyz")]),
        ),
        (&[M, M].concat(), parts(&[(1, b""), (2, b""), (3, b"")])),
        (
            &[b"A", M, b"BBB"].concat(),
            parts(&[(0, &[b"A", M, b"BBB"].concat())]),
        ),
    ];
    for (record, frames) in cases {
        assert_eq!(encoded(record), frames);
        assert_eq!(decoded(frames).unwrap(), record);
    }
}

#[test]
fn parts_out_of_order_are_refused() {
    let error = |list: &[(u32, &[u8])]| decoded(parts(list)).unwrap_err();
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
fn damage_around_the_data_is_seen() {
    let mut dirty = parts(&[(0, b"a")]);
    dirty[10] = 1;
    assert_eq!(decoded(dirty).unwrap_err(), (0, FrameError::Padding(1)));
    let mut short = parts(&[(0, b"abcdefgh")]);
    short.truncate(12);
    assert_eq!(
        decoded(short).unwrap_err(),
        (0, FrameError::Truncated { len: 8, left: 4 })
    );
    let follow = [parts(&[(0, b"a")]), b"junkjunk".to_vec()].concat();
    assert_eq!(
        decoded(follow).unwrap_err(),
        (0, FrameError::InvalidNext(b"junkjunk".to_vec()))
    );
}

#[test]
fn a_length_that_takes_in_the_next_record_is_seen() {
    let mut bytes = [parts(&[(0, b"abcd")]), parts(&[(0, b"efgh")])].concat();
    bytes[4] = 16;
    assert_eq!(decoded(bytes).unwrap_err(), (0, FrameError::MagicInside(4)));
}

#[test]
fn a_magic_word_is_found_wherever_it_is_aligned() {
    for len in 0..200 {
        for at in 0..len {
            let mut data = vec![7; len + 4];
            data[at..at + 4].copy_from_slice(M);
            let found = at.is_multiple_of(4).then_some(at);
            assert_eq!(first_magic_word(&data), found, "at {at} of {len}");
        }
    }
}

#[test]
fn a_length_too_great_is_seen_before_all_its_bytes_are_asked_for() {
    let mut bytes = [parts(&[(0, b"abcd")]), parts(&[(0, b"efgh")])].concat();
    bytes[7] = 1;
    let error = check(&bytes, 1 << 30, None).unwrap_err();
    assert_eq!(error, (0, FrameError::MagicInside(4)));
}

#[test]
fn a_cut_in_the_next_header_does_not_spoil_this_record() {
    for cut in 0..HEADER_LEN {
        let bytes = [parts(&[(0, b"abcd")]), parts(&[(0, b"")])[..cut].to_vec()].concat();
        assert_eq!(decoded(bytes).unwrap(), b"abcd");
    }
}

#[test]
fn too_few_bytes_ask_for_more() {
    let bytes = encoded(&[0; 100]);
    assert_eq!(check(&bytes[..4], 108, None), Ok(Progress::NeedsMore(8)));
    assert_eq!(check(&bytes[..8], 108, None), Ok(Progress::NeedsMore(108)));
    assert_eq!(check(&bytes[..8], 200, None), Ok(Progress::NeedsMore(116)));
    assert_eq!(check(&bytes, 200, None), Ok(Progress::NeedsMore(116)));
}

#[test]
fn a_record_that_ends_where_the_index_says_is_whole_whatever_follows() {
    let bytes = [parts(&[(0, b"abcd")]), b"junkjunk".to_vec()].concat();
    assert_eq!(check(&bytes, 20, Some(12)), Ok(Progress::Complete(12)));
    assert!(check(&bytes, 20, Some(16)).is_err());
    assert!(check(&bytes, 20, None).is_err());
}

#[test]
fn a_record_too_long_for_its_length_word_is_refused() {
    let mut out = Vec::new();
    let record = vec![0; MAX_RECORD_LEN + 1];
    assert_eq!(encode(&record, &mut out), Err(FrameError::TooLong(1 << 29)));
    assert!(out.is_empty());
}
