//! libjpeg-turbo's opinion, through its interface of the name `TurboJPEG`, which is opened at run
//! time: nothing has to be installed for the fuzz crate to build.

use std::ffi::{c_int, c_uchar, c_ulong, c_void};
use std::sync::OnceLock;

use libloading::Library;
use recio_jpeg::{Options, PixelFormat, Scale};

/// Where it is looked for, unless the variable TURBOJPEG names it.
const NAMES: [&str; 3] = ["libturbojpeg.so.0", "libturbojpeg.so", "libturbojpeg.dylib"];

/// `TJFLAG_ACCURATEDCT`, `TJFLAG_STOPONWARNING` and `TJFLAG_LIMITSCANS` of turbojpeg.h.
const FLAGS: c_int = 4096 | 8192 | 32768;

type Handle = *mut c_void;
type InitDecompress = unsafe extern "C" fn() -> Handle;
type DecompressHeader = unsafe extern "C" fn(
    Handle,
    *const c_uchar,
    c_ulong,
    *mut c_int,
    *mut c_int,
    *mut c_int,
    *mut c_int,
) -> c_int;
type Destroy = unsafe extern "C" fn(Handle) -> c_int;
type Decompress = unsafe extern "C" fn(
    Handle,
    *const c_uchar,
    c_ulong,
    *mut c_uchar,
    c_int,
    c_int,
    c_int,
    c_int,
    c_int,
) -> c_int;

/// The library, open.
#[derive(Debug)]
pub struct TurboJpeg {
    init: InitDecompress,
    destroy: Destroy,
    decompress_header: DecompressHeader,
    decompress: Decompress,
    /// Never closed before the functions above are called for the last time.
    _library: Library,
}

impl TurboJpeg {
    /// The library, opened once; `None` if it is not installed.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<TurboJpeg>> = OnceLock::new();
        SHARED.get_or_init(Self::open).as_ref()
    }

    /// Opens it; `None` if it is not installed.
    ///
    /// # Panics
    /// If it is not where TURBOJPEG says.
    fn open() -> Option<Self> {
        if let Some(path) = std::env::var_os("TURBOJPEG") {
            // SAFETY: whoever sets the variable says that it is libjpeg-turbo's, which does nothing
            // when it is loaded.
            let library = unsafe { Library::new(&path) };
            let library =
                library.unwrap_or_else(|error| panic!("TURBOJPEG={}: {error}", path.display()));
            return Some(
                Self::of(library).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
            );
        }
        // SAFETY: as above; these names are its own.
        let mut libraries = NAMES
            .iter()
            .filter_map(|name| unsafe { Library::new(*name) }.ok());
        libraries.find_map(|library| Self::of(library).ok())
    }

    fn of(library: Library) -> Result<Self, libloading::Error> {
        // SAFETY: the types are those of turbojpeg.h, the same in 2.x and 3.x; the library is kept
        // as long as they are.
        unsafe {
            Ok(Self {
                init: *library.get(b"tjInitDecompress\0")?,
                destroy: *library.get(b"tjDestroy\0")?,
                decompress_header: *library.get(b"tjDecompressHeader3\0")?,
                decompress: *library.get(b"tjDecompress2\0")?,
                _library: library,
            })
        }
    }

    /// The pixels of an image of this size; `None` if there is anything that it would warn of, or
    /// if the scale cannot be told by the size that it leads to.
    pub fn decode(&self, jpeg: &[u8], size: (usize, usize), options: &Options) -> Option<Vec<u8>> {
        if !is_told_by_size(size, options.scale) {
            return None;
        }
        // A decoder of its own, so that what is found here does not hang on images before.
        // SAFETY: nothing is asked of it but to be destroyed below.
        let handle = unsafe { (self.init)() };
        let is_size = self.size(handle, jpeg) == size;
        let out = is_size
            .then(|| self.pixels(handle, jpeg, size, options))
            .flatten();
        // SAFETY: it is not used any more.
        unsafe { (self.destroy)(handle) };
        out
    }

    /// The size that it reads; 0 × 0 if it reads none.
    fn size(&self, handle: Handle, jpeg: &[u8]) -> (usize, usize) {
        let (mut width, mut height, mut sampling, mut colours) = (0, 0, 0, 0);
        // SAFETY: it reads the bytes, and writes four numbers. It fails for samplings without a
        // name of its own, after the size has been written.
        unsafe {
            (self.decompress_header)(
                handle,
                jpeg.as_ptr(),
                jpeg.len() as c_ulong,
                &raw mut width,
                &raw mut height,
                &raw mut sampling,
                &raw mut colours,
            );
        }
        (width as usize, height as usize)
    }

    fn pixels(
        &self,
        handle: Handle,
        jpeg: &[u8],
        size: (usize, usize),
        options: &Options,
    ) -> Option<Vec<u8>> {
        let (width, height) = options.scale.size(size);
        let mut out = vec![0; width * height * options.pixel_format.channels()];
        // SAFETY: it chooses a scale at which the header's size is no larger than this one, and
        // fills up so many rows of so many pixels at most; the rows follow each other (pitch 0).
        let status = unsafe {
            (self.decompress)(
                handle,
                jpeg.as_ptr(),
                jpeg.len() as c_ulong,
                out.as_mut_ptr(),
                width as c_int,
                0,
                height as c_int,
                turbojpeg_pixel_format(options.pixel_format),
                FLAGS,
            )
        };
        (status == 0).then_some(out)
    }
}

/// Whether the scale is the largest that leads to no larger size: that one is chosen. The next
/// larger scale is told here in eighths.
fn is_told_by_size((width, height): (usize, usize), scale: Scale) -> bool {
    let next = match scale {
        Scale::Full => 9,
        Scale::Half => 5,
        Scale::Quarter => 3,
        Scale::Eighth => 2,
    };
    let scaled = scale.size((width, height));
    (width * next).div_ceil(8) > scaled.0 || (height * next).div_ceil(8) > scaled.1
}

/// `TJPF_GRAY`, `TJPF_RGB`, `TJPF_CMYK`.
fn turbojpeg_pixel_format(pixel_format: PixelFormat) -> c_int {
    match pixel_format {
        PixelFormat::Gray => 6,
        PixelFormat::Rgb => 0,
        PixelFormat::Cmyk => 11,
    }
}
