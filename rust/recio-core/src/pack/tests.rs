//! Tests of packing whole lists.

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;

use super::*;
use crate::limits::Limits;
use crate::storage::memory_store::MemoryStore;
use crate::write::file_system::tests::file_names;

pub(super) const PASS_THROUGH: PackOptions = PackOptions {
    transcode: None,
    seekable: false,
    baseline: false,
    masks: None,
    pack_label: false,
    checksum: false,
    allow_outside: false,
    limits: Limits::DEFAULT,
    threads: 3,
    older_manifests: Vec::new(),
};

/// All lines of a list.
fn all(list: &PackList) -> ListPart {
    ListPart {
        lines: 0..list.len(),
        max_bytes: None,
    }
}

/// A folder `images` with files of these names, each holding its name, and a list `a.lst` beside
/// it.
struct Fixture {
    folder: tempfile::TempDir,
}

impl Fixture {
    fn new(images: &[&str], list: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("images")).unwrap();
        for name in images {
            fs::write(folder.path().join("images").join(name), name).unwrap();
        }
        fs::write(folder.path().join("a.lst"), list).unwrap();
        Self { folder }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn pack(&self, options: &PackOptions, flow: ControlFlow<()>) -> Result<Option<PackReport>> {
        self.pack_part(None, options, flow)
    }

    /// Packs the lines of `part`, or all.
    fn pack_part(
        &self,
        part: Option<ListPart>,
        options: &PackOptions,
        flow: ControlFlow<()>,
    ) -> Result<Option<PackReport>> {
        let [list, root, rec] = ["a.lst", "images", "a.rec"].map(|name| self.at(name));
        let list = PackList::load(&list.into())?;
        let part = part.unwrap_or_else(|| all(&list));
        pack(&list, part, &root.into(), &rec.into(), options, &mut |_| {
            flow
        })
    }
}

#[test]
fn records_are_in_list_order_for_any_number_of_threads() {
    let names: Vec<String> = (0..200).map(|n| format!("{n}.jpg")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let line = |(n, name): (usize, &&str)| format!("{}\t1\t{name}\n", 1000 - n);
    let fixture = Fixture::new(
        &names,
        &names.iter().enumerate().map(line).collect::<String>(),
    );
    let written = [1, 2, 7].map(|threads| {
        let options = PackOptions {
            threads,
            ..PASS_THROUGH
        };
        let packed = fixture.pack(&options, ControlFlow::Continue(())).unwrap();
        assert_eq!(packed.unwrap().records, 200);
        (
            fs::read(fixture.at("a.rec")).unwrap(),
            fs::read_to_string(fixture.at("a.idx")).unwrap(),
        )
    });
    assert!(written[0].1.starts_with("1000\t0\n999\t40\n"));
    assert!(written[0] == written[1] && written[0] == written[2]);
}

#[test]
fn skipped_lines_are_reported_with_reasons() {
    let list = "1\t0\ta\nnonsense\n1\t0\tb\n3\t0\tmissing\n4\t0\tempty\n5\t0\t../a.lst\n6\t0\tb\n";
    let fixture = Fixture::new(&["a", "b"], list);
    fs::write(fixture.at("images/empty"), "").unwrap();
    let packed = fixture.pack(&PASS_THROUGH, ControlFlow::Continue(()));
    let PackReport {
        records, skipped, ..
    } = packed.unwrap().unwrap();
    let skipped: Vec<_> = skipped
        .iter()
        .map(|skipped| (skipped.line, skipped.reason.as_str()))
        .collect();
    assert_eq!(records, 2);
    assert_eq!(
        skipped,
        [
            (
                2,
                "a line must be index, label and path separated by tabs, got 1 field"
            ),
            (3, "duplicate index 1"),
            (4, "no such file"),
            (5, "the file is empty"),
            (
                6,
                "the path leaves its root folder, which needs allow_outside (--allow-outside)"
            ),
        ]
    );
}

#[test]
fn stopping_or_packing_nothing_leaves_no_files() {
    let fixture = Fixture::new(&["a"], "1\t0\ta\n");
    assert_eq!(
        fixture.pack(&PASS_THROUGH, ControlFlow::Break(())).unwrap(),
        None
    );
    fs::write(fixture.at("a.lst"), "1\t0\tmissing\n").unwrap();
    let packed = fixture
        .pack(&PASS_THROUGH, ControlFlow::Continue(()))
        .unwrap();
    assert_eq!(packed.unwrap().records, 0);
    assert_eq!(file_names(fixture.folder.path()), ["a.lst", "images"]);
}

#[test]
fn undecodable_image_is_skipped() {
    let fixture = Fixture::new(&["a"], "1\t0\ta\n");
    let transcode = Some(Transcode {
        fill_damage: false,
        color: Color::Rgb,
        center_crop: false,
        resize: None,
        encoding: Encoding::Jpeg(95),
    });
    let options = PackOptions {
        transcode,
        ..PASS_THROUGH
    };
    let packed = fixture.pack(&options, ControlFlow::Continue(())).unwrap();
    assert_eq!(packed.unwrap().skipped[0].image, Some((1, "a".into())));
}

#[test]
fn pack_label_packs_all_labels() {
    let fixture = Fixture::new(&["a"], "1\t2\t3\ta\n");
    let flag = |pack_label| {
        let options = PackOptions {
            pack_label,
            ..PASS_THROUGH
        };
        fixture.pack(&options, ControlFlow::Continue(())).unwrap();
        fs::read(fixture.at("a.rec")).unwrap()[8]
    };
    assert_eq!((flag(false), flag(true)), (0, 2));
}

/// Puts the list and the images of a fixture into a store.
fn uploaded(fixture: &Fixture) -> MemoryStore {
    let store = MemoryStore::default();
    let list = fs::read(fixture.at("a.lst")).unwrap();
    store.put("s3://b/a.lst", &list);
    for entry in fs::read_dir(fixture.at("images")).unwrap() {
        let entry = entry.unwrap();
        let url = format!("s3://b/images/{}", entry.file_name().to_str().unwrap());
        store.put(&url, &fs::read(entry.path()).unwrap());
    }
    store
}

fn pack_in_store(store: &MemoryStore, masks: bool) -> Result<Option<PackReport>> {
    let masks = masks.then(|| MaskOptions {
        root: store.at("s3://b/masks"),
        ending: ".png".into(),
        rec: store.at("s3://b/a_mask.rec"),
    });
    let options = PackOptions {
        masks,
        ..PASS_THROUGH
    };
    let [list, root, rec] =
        ["a.lst", "images", "a.rec"].map(|name| store.at(&format!("s3://b/{name}")));
    let list = PackList::load(&list).unwrap();
    let part = all(&list);
    pack(&list, part, &root, &rec, &options, &mut |_| {
        ControlFlow::Continue(())
    })
}

#[test]
fn objects_are_packed_as_files_are() {
    let names: Vec<String> = (0..300).map(|n| format!("{n}.jpg")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let line = |(n, name): (usize, &&str)| format!("{n}\t1\t{name}\n");
    let list: String = names.iter().enumerate().map(line).collect();
    let fixture = Fixture::new(
        &names,
        &format!("{list}900\t1\tnone.jpg\n901\t1\t../a.lst\n"),
    );
    fixture
        .pack(&PASS_THROUGH, ControlFlow::Continue(()))
        .unwrap();
    let store = uploaded(&fixture);
    let PackReport {
        records, skipped, ..
    } = pack_in_store(&store, false).unwrap().unwrap();
    assert_eq!(records, 300);
    let reasons: Vec<_> = skipped.iter().map(|line| line.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "no such file",
            "the path leaves its root folder s3://b/images"
        ]
    );
    for name in ["a.rec", "a.idx"] {
        let bytes = store.get(&format!("s3://b/{name}")).unwrap();
        assert!(bytes == fs::read(fixture.at(name)).unwrap(), "{name}");
    }
}

#[test]
fn a_store_that_does_not_answer_ends_the_packing() {
    let fixture = Fixture::new(&["a", "b", "c"], "1\t0\ta\n2\t0\tb\n3\t0\tc\n");
    let store = uploaded(&fixture);
    store.fail_to_open("s3://b/images/b");
    let error = pack_in_store(&store, false).unwrap_err().to_string();
    assert_eq!(error, "s3://b/images/b: injected");
    assert!(store.urls().iter().all(|url| !url.contains(".rec")));
}

#[test]
fn an_object_without_its_mask_is_skipped() {
    let store = uploaded(&Fixture::new(&["a.jpg"], "1\t0\ta.jpg\n"));
    let report = pack_in_store(&store, true).unwrap().unwrap();
    assert_eq!(report.skipped[0].reason, "its mask a.png: no such file");
}

#[test]
fn a_part_is_packed_until_the_file_is_full() {
    let names: Vec<String> = (0..100).map(|n| format!("{n:02}.jpg")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let lines: Vec<String> = (0..100).map(|n| format!("{n}\t1\t{n:02}.jpg")).collect();
    let list = format!("7\t1\tmissing.jpg\n{}\n", lines.join("\n"));
    let fixture = Fixture::new(&names, &list);
    // A frame has 8 bytes, a header of 24 and a name of 6, padded to 40.
    let pack = |lines: Range<usize>, max_bytes| {
        let part = ListPart { lines, max_bytes };
        let packed = fixture.pack_part(Some(part), &PASS_THROUGH, ControlFlow::Continue(()));
        let report = packed.unwrap().unwrap();
        assert_eq!(report.images.bytes, report.records as u64 * 40);
        (report.records, report.end, report.skipped.len())
    };
    assert_eq!(pack(0..101, Some(400)), (10, 12, 2));
    assert_eq!(pack(12..101, Some(439)), (10, 10, 0));
    assert_eq!(pack(12..101, Some(1)), (1, 1, 0));
    assert_eq!(pack(90..101, None), (11, 11, 0));
    let file = fs::read(fixture.at("a.rec")).unwrap();
    assert!(file.ends_with(b"99.jpg\0\0"));
}
