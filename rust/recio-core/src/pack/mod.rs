//! A list of image files → a `.rec` and a `.idx`: the engine of im2rec.
//!
//! ```text
//! list ─▶ lines ─▶ threads: open, read, (decode, crop, resize, encode), (seek) ─▶ in the list's order ─▶ .rec, .idx
//! (root)                   budget   recode, masks                      seekable                          outputs
//! ```
//!
//! The calling thread hands out lines, a window of them at a time, and writes what comes back in the order that it was
//! handed out, whichever thread was first. What is written is therefore the same for any number of threads. A line that
//! cannot be packed is left out and reported with its reason; only what keeps the output from being written is an error.
//! The threads are this call's own. Images may have masks, which go the same way into files of their own; an image and
//! its mask are packed or left out together.
//!
//! Nothing is known here of prefixes, of how lists are made, or of where progress is shown.

mod coordinator;
mod masks;
mod memory_budget;
mod outputs;
mod resume;
mod seekable;
mod transcode;
mod worker;

use std::path::Path;
use std::thread;

use crossbeam_channel::unbounded;

use crate::error::Result;
use crate::progress::OnProgress;
use crate::read::list_file::load_lines;
use crate::storage::sandboxed_folder::SandboxedFolder;
use coordinator::Run;
use masks::MaskFolder;
pub use masks::Masks;
use memory_budget::Budget;
use outputs::Outputs;
pub use resume::packed_already;
pub use transcode::{Color, Encoding, Recode};
use worker::Worker;

/// Lines handed out and not yet written, per thread: enough that none waits for another.
const WINDOW: usize = 32;
/// Bytes of files and records in memory at a time, unless a single one is larger; decoded, each thread has one image.
const IN_FLIGHT: usize = 256 << 20;

/// What is packed, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How images are made anew; `None` packs the files' bytes as they are.
    pub recode: Option<Recode>,
    /// Whether JPEGs are made such that a crop is decoded sooner, where that makes them no larger. Their pixels stay.
    pub seekable: bool,
    /// Masks to pack beside the images. Then `recode` must keep the images' sizes.
    pub masks: Option<Masks>,
    /// Whether a record gets all labels of its line, or only the first.
    pub pack_label: bool,
    /// Whether a `.rsum` is written beside each `.rec`.
    pub checksum: bool,
    /// Whether the list's paths may leave the root.
    pub allow_outside: bool,
    /// The threads that read and recode; at least one.
    pub threads: usize,
}

/// What was packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// The number of records written. If it is 0 there are no files.
    pub records: usize,
    /// The length of the `.rec` file.
    pub bytes: u64,
    /// What was left out, in the list's order.
    pub skipped: Vec<Skipped>,
}

/// A line of the list that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its number, from 1.
    pub line: u64,
    /// Its index and path, unless the line cannot be read.
    pub image: Option<(u64, String)>,
    /// Why.
    pub reason: String,
}

/// Packs the files that `list` names, relative to `root`, into `rec` and the `.idx` beside it.
///
/// Both files, and with masks theirs, are there and complete at the end, or none: see [`output`](crate::write). `on_progress` is called
/// on this thread about every 100 ms and at the end of the list. If it breaks off, nothing is written and the result is
/// `None`.
///
/// # Errors
/// [`ErrorKind::Io`](crate::error::ErrorKind::Io) if the list cannot be read, the output not be written or there is no `root`;
/// [`ErrorKind::Corrupt`](crate::error::ErrorKind::Corrupt) if the list is not text.
pub fn pack(
    list: &Path,
    root: &Path,
    rec: &Path,
    options: &Options,
    on_progress: &mut OnProgress<'_>,
) -> Result<Option<Packed>> {
    let lines = load_lines(list)?;
    let root = SandboxedFolder::new(root, options.allow_outside)?;
    let masks = options.masks.as_ref();
    let folder = masks
        .map(|masks| MaskFolder::new(masks, options.allow_outside))
        .transpose()?;
    let outputs = Outputs::create(
        rec,
        masks.map(|masks| masks.rec.as_path()),
        options.checksum,
    )?;
    let budget = Budget::new(IN_FLIGHT);
    let threads = options.threads.max(1);
    thread::scope(|scope| {
        // However this ends: threads that wait for their turn must not wait for ever.
        let _closed_at_the_end = CloseOnDrop(&budget);
        let (jobs, queue) = unbounded();
        for number in 0..threads {
            let worker = Worker::new(&root, folder.as_ref(), options, &budget, queue.clone());
            thread::Builder::new()
                .name(format!("recio-pack-{number}"))
                .spawn_scoped(scope, || worker.run())?;
        }
        // With the last worker gone, handing out lines fails instead of waiting.
        drop(queue);
        Run::new(&lines, jobs, &budget, outputs, on_progress).pack(threads * WINDOW)
    })
}

struct CloseOnDrop<'a>(&'a Budget);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::ops::ControlFlow;
    use std::path::PathBuf;

    use super::*;
    use crate::write::file_system::tests::file_names;

    const AS_IS: Options = Options {
        recode: None,
        seekable: false,
        masks: None,
        pack_label: false,
        checksum: false,
        allow_outside: false,
        threads: 3,
    };

    /// A folder `images` with files of these names, each holding its name, and a list `a.lst` beside it.
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

        fn pack(&self, options: &Options, flow: ControlFlow<()>) -> Result<Option<Packed>> {
            let [list, root, rec] = ["a.lst", "images", "a.rec"].map(|name| self.at(name));
            pack(&list, &root, &rec, options, &mut |_| flow)
        }
    }

    #[test]
    fn records_stand_in_the_lists_order_for_any_number_of_threads() {
        let names: Vec<String> = (0..200).map(|n| format!("{n}.jpg")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let line = |(n, name): (usize, &&str)| format!("{}\t1\t{name}\n", 1000 - n);
        let fixture = Fixture::new(
            &names,
            &names.iter().enumerate().map(line).collect::<String>(),
        );
        let written = [1, 2, 7].map(|threads| {
            let options = Options { threads, ..AS_IS };
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
    fn what_cannot_be_packed_is_left_out_with_its_line_and_reason() {
        let list =
            "1\t0\ta\nnonsense\n1\t0\tb\n3\t0\tmissing\n4\t0\tempty\n5\t0\t../a.lst\n6\t0\tb\n";
        let fixture = Fixture::new(&["a", "b"], list);
        fs::write(fixture.at("images/empty"), "").unwrap();
        let packed = fixture.pack(&AS_IS, ControlFlow::Continue(()));
        let Packed {
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
    fn breaking_off_or_packing_nothing_leaves_no_files() {
        let fixture = Fixture::new(&["a"], "1\t0\ta\n");
        assert_eq!(fixture.pack(&AS_IS, ControlFlow::Break(())).unwrap(), None);
        fs::write(fixture.at("a.lst"), "1\t0\tmissing\n").unwrap();
        let packed = fixture.pack(&AS_IS, ControlFlow::Continue(())).unwrap();
        assert_eq!(packed.unwrap().records, 0);
        assert_eq!(file_names(fixture.folder.path()), ["a.lst", "images"]);
    }

    #[test]
    fn an_image_that_cannot_be_decoded_is_left_out() {
        let fixture = Fixture::new(&["a"], "1\t0\ta\n");
        let recode = Some(Recode {
            color: Color::Rgb,
            center_crop: false,
            resize: None,
            encoding: Encoding::Jpeg(95),
        });
        let options = Options { recode, ..AS_IS };
        let packed = fixture.pack(&options, ControlFlow::Continue(())).unwrap();
        assert_eq!(packed.unwrap().skipped[0].image, Some((1, "a".into())));
    }

    #[test]
    fn all_labels_are_packed_if_asked_for() {
        let fixture = Fixture::new(&["a"], "1\t2\t3\ta\n");
        let flag = |pack_label| {
            let options = Options {
                pack_label,
                ..AS_IS
            };
            fixture.pack(&options, ControlFlow::Continue(())).unwrap();
            fs::read(fixture.at("a.rec")).unwrap()[8]
        };
        assert_eq!((flag(false), flag(true)), (0, 2));
    }
}
