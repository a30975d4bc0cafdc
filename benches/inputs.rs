//! Input of the benchmarks: the photographs of `tests/data`.

use std::path::PathBuf;

/// Return the bytes of the photographs, sorted by path.
///
/// # Panics
/// If a photograph cannot be read.
#[must_use]
pub fn photographs() -> Vec<Vec<u8>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/data/photos");
    let folders = std::fs::read_dir(&root).expect("the photographs are in the repository");
    let files = folders
        .flatten()
        .flat_map(|folder| std::fs::read_dir(folder.path()));
    let mut paths: Vec<PathBuf> = files.flatten().flatten().map(|file| file.path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).expect("a photograph can be read"))
        .collect()
}
