//! Storage: where bytes are read from, and written to.
//!
//! ```text
//! location          where a file is: a path, or the URL of an object in a store
//! stored_file       an open file, wherever it is: positioned reads
//! download          copying an object into a local file, several ranges at once
//! store             stores of objects, their objects, uploads
//! lazy_object       object that is opened at its first read
//! cache             local cache of objects
//! per_process       values that each forked process makes anew
//! url               URLs among paths
//! address           URLs of objects: scheme, bucket, key
//! url_store         the store of all URLs; remote has its objects, with the feature object-store
//! wait              waits for a store, which end when the thread is stopped
//! memory_store      a store in memory, for tests
//! local_file        regular files, positioned reads
//! open_files        files of a set of many, of which few are open at a time
//! regular           opening regular files only
//! folder            folder that a list's paths are relative to, local or of a store
//! sandboxed_folder  files below a folder, which their paths must not leave
//! inside            paths inside a folder, by whatever way they lead there
//! beneath           opening a file below a folder, whatever links are changed meanwhile
//! ```

pub mod address;
#[cfg(unix)]
mod beneath;
#[cfg(unix)]
pub mod cache;
pub mod download;
pub mod folder;
mod inside;
mod lazy_object;
pub mod local_file;
pub mod location;
#[cfg(test)]
pub(crate) mod memory_store;
pub mod open_files;
#[cfg(any(unix, feature = "object-store"))]
mod per_process;
pub mod regular;
#[cfg(feature = "object-store")]
mod remote;
pub mod sandboxed_folder;
pub mod store;
pub mod stored_file;
pub mod url;
pub mod url_store;
pub mod wait;
