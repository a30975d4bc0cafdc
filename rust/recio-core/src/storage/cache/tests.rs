use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::cached_file::BLOCK;
use super::*;

/// Object of which each byte is its offset, and that counts reads.
#[derive(Debug, Default)]
struct Numbers {
    len: u64,
    identity: Option<String>,
    reads: AtomicUsize,
    /// Whether reads cannot be started.
    only_waits: AtomicBool,
}

impl Numbers {
    fn bytes(&self, range: Range<u64>) -> Vec<u8> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        range.map(|offset| offset as u8).collect()
    }
}

impl Object for Arc<Numbers> {
    fn len(&self) -> u64 {
        self.len
    }

    fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
    }

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        bytes.copy_from_slice(&self.bytes(offset..offset + bytes.len() as u64));
        Ok(())
    }

    fn start_read(&self, range: Range<u64>, done: OnRead) -> Result<(), OnRead> {
        if self.only_waits.load(Ordering::Relaxed) {
            return Err(done);
        }
        done.call(Ok(self.bytes(range)));
        Ok(())
    }
}

/// Store of one object.
#[derive(Debug)]
struct OneObject(Arc<Numbers>);

impl Store for OneObject {
    fn open(&self, _: &Path) -> Result<Arc<dyn Object>> {
        Ok(Arc::new(Arc::clone(&self.0)))
    }

    fn create(&self, _: &Path) -> Result<Box<dyn Upload>> {
        unreachable!("nothing is written")
    }
}

struct Fixture {
    folder: tempfile::TempDir,
    object: Arc<Numbers>,
}

impl Fixture {
    fn new(len: u64) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            object: numbers(len, "first"),
        }
    }

    /// Opens an object as another process would.
    fn open(&self, object: &Arc<Numbers>, max_bytes: u64) -> Arc<dyn Object> {
        let cache = Cache::open(self.folder.path(), max_bytes).unwrap();
        let store = CachedStore::new(Arc::new(OneObject(Arc::clone(object))), cache);
        store.open(Path::new("s3://bucket/a.rec")).unwrap()
    }

    fn reads(&self) -> usize {
        self.object.reads.swap(0, Ordering::Relaxed)
    }

    /// Returns the path of the only file with an extension.
    fn file(&self, extension: &str) -> PathBuf {
        let entries = fs::read_dir(self.folder.path()).unwrap().flatten();
        let is_it = |path: &PathBuf| path.extension().is_some_and(|other| other == extension);
        let mut paths = entries.map(|entry| entry.path());
        paths.find(is_it).unwrap()
    }
}

fn numbers(len: u64, identity: &str) -> Arc<Numbers> {
    Arc::new(Numbers {
        len,
        identity: Some(identity.into()),
        ..Numbers::default()
    })
}

/// Length of an object of ten blocks, of which the last is short.
const LEN: u64 = 9 * BLOCK + 1000;

/// Reads an object in ranges that have nothing to do with blocks, and checks them.
fn read_all(object: &dyn Object) {
    const STEP: u64 = 999;
    for offset in (0..object.len()).step_by(STEP as usize) {
        let mut bytes = vec![0; STEP.min(object.len() - offset) as usize];
        object.read_exact_at(&mut bytes, offset).unwrap();
        assert!((offset..).zip(bytes).all(|(at, byte)| at as u8 == byte));
    }
}

#[test]
fn a_block_is_read_from_the_store_once() {
    let fixture = Fixture::new(LEN);
    let (first, second) = (
        fixture.open(&fixture.object, 1 << 20),
        fixture.open(&fixture.object, 1 << 20),
    );
    read_all(&*first);
    assert_eq!(fixture.reads(), 10);
    read_all(&*first);
    read_all(&*second);
    drop((first, second));
    let third = fixture.open(&fixture.object, 1 << 20);
    read_all(&*third);
    let mut all = vec![0; LEN as usize];
    third.read_exact_at(&mut all, 0).unwrap();
    assert!((0..).zip(all).all(|(at, byte): (u64, u8)| at as u8 == byte));
    assert_eq!(fixture.reads(), 0);
}

#[test]
fn missing_blocks_are_one_read() {
    let fixture = Fixture::new(LEN);
    let object = fixture.open(&fixture.object, 1 << 20);
    for block in [2, 5] {
        object.read_exact_at(&mut [0; 10], block * BLOCK).unwrap();
    }
    assert_eq!(fixture.reads(), 2);
    let mut bytes = vec![0; 8 * BLOCK as usize];
    object.read_exact_at(&mut bytes, 100).unwrap();
    assert!(
        (100..)
            .zip(bytes)
            .all(|(at, byte): (u64, u8)| at as u8 == byte)
    );
    assert_eq!(fixture.reads(), 1);
    read_all(&*object);
    assert_eq!(fixture.reads(), 1, "the last block");
}

/// Starts a read, and returns the bytes; none if the object has only reads that wait.
fn started(object: &dyn Object, range: Range<u64>) -> Option<Vec<u8>> {
    let (sender, bytes) = crossbeam_channel::bounded(1);
    let done = move |bytes: Result<Vec<u8>>| sender.send(bytes.unwrap()).unwrap();
    match object.start_read(range, OnRead::new(done, || true)) {
        Ok(()) => Some(bytes.recv().unwrap()),
        Err(done) => {
            done.call(Ok(b"returned".to_vec()));
            assert_eq!(bytes.recv().unwrap(), b"returned");
            None
        }
    }
}

#[test]
fn started_reads_are_kept_too() {
    let fixture = Fixture::new(LEN);
    let object = fixture.open(&fixture.object, 1 << 20);
    let expected: Vec<u8> = (300..40_000u64).map(|at| at as u8).collect();
    for _ in 0..2 {
        assert_eq!(started(&*object, 300..40_000).as_ref(), Some(&expected));
    }
    assert_eq!(fixture.reads(), 1);
}

#[test]
fn what_receives_a_read_that_cannot_be_started_is_returned() {
    let fixture = Fixture::new(LEN);
    fixture.object.only_waits.store(true, Ordering::Relaxed);
    let object = fixture.open(&fixture.object, 1 << 20);
    assert_eq!(started(&*object, 300..40_000), None);
    object.read_exact_at(&mut vec![0; 40_000], 0).unwrap();
    assert!(started(&*object, 300..40_000).is_some());
}

#[test]
fn a_replaced_object_has_other_blocks() {
    let fixture = Fixture::new(1000);
    read_all(&*fixture.open(&fixture.object, 1 << 20));
    for other in [numbers(1000, "second"), numbers(1100, "first")] {
        let object = fixture.open(&other, 1 << 20);
        object.read_exact_at(&mut [0; 100], 0).unwrap();
        assert_eq!(other.reads.load(Ordering::Relaxed), 1);
    }
}

#[test]
fn damage_in_the_cache_is_read_again() {
    let fixture = Fixture::new(LEN);
    read_all(&*fixture.open(&fixture.object, 1 << 20));
    fixture.reads();
    let path = fixture.file("data");
    let mut data = fs::read(&path).unwrap();
    data[3 * BLOCK as usize + 250] ^= 1;
    fs::write(&path, data).unwrap();
    let object = fixture.open(&fixture.object, 1 << 20);
    read_all(&*object);
    assert_eq!(fixture.reads(), 1);
    read_all(&*object);
    assert_eq!(fixture.reads(), 0);
}

#[test]
fn a_log_that_ends_anywhere_is_recovered() {
    let fixture = Fixture::new(LEN);
    read_all(&*fixture.open(&fixture.object, 1 << 20));
    let log = fs::read(fixture.file("log")).unwrap();
    for end in (0..log.len()).step_by(7).chain([log.len() - 1]) {
        fs::write(fixture.file("log"), &log[..end]).unwrap();
        read_all(&*fixture.open(&fixture.object, 1 << 20));
        fixture.reads();
        read_all(&*fixture.open(&fixture.object, 1 << 20));
        assert_eq!(fixture.reads(), 0, "{end}");
    }
}

#[test]
fn the_cache_is_bounded_and_objects_that_are_not_used_are_removed() {
    let fixture = Fixture::new(1 << 20);
    let max_bytes = 256 << 10;
    let bytes = || {
        let entries = fs::read_dir(fixture.folder.path()).unwrap().flatten();
        let blocks = |entry: fs::DirEntry| {
            std::os::unix::fs::MetadataExt::blocks(&entry.metadata().unwrap())
        };
        entries.map(blocks).sum::<u64>() * 512
    };
    let first = fixture.open(&fixture.object, max_bytes);
    let read = |object: &dyn Object| {
        for offset in (0..object.len()).step_by(BLOCK as usize) {
            object.read_exact_at(&mut [0; 4096], offset).unwrap();
        }
    };
    read(&*first);
    let before = bytes();
    assert!(
        before > max_bytes / 2 && before <= max_bytes + max_bytes / 64 + 8192,
        "{before}"
    );
    let second = numbers(1 << 20, "second");
    read(&*fixture.open(&second, max_bytes));
    assert!(bytes() <= before + 8192, "the first is in use");
    drop(first);
    let third = numbers(1 << 20, "third");
    read(&*fixture.open(&third, max_bytes));
    third.reads.store(0, Ordering::Relaxed);
    read(&*fixture.open(&third, max_bytes));
    let reads = third.reads.load(Ordering::Relaxed);
    assert!(reads < 64 - 8, "{reads} of 64 blocks were not in the cache");
    assert!(bytes() <= max_bytes + max_bytes / 64 + 8192);
}

#[test]
fn an_object_without_identity_is_refused() {
    let fixture = Fixture::new(1000);
    let cache = Cache::open(fixture.folder.path(), 1 << 20).unwrap();
    let store = CachedStore::new(Arc::new(OneObject(Arc::default())), cache);
    let error = store.open(Path::new("http://x.org/a.rec")).unwrap_err();
    assert!(error.to_string().contains("omit cache_dir"), "{error}");
}
