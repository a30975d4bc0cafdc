//! libjpeg-turbo, through its `TurboJPEG` API. It is loaded at run time, so that the fuzz crate
//! builds without it.

use std::ffi::{c_int, c_uchar, c_ulong, c_void};
use std::sync::OnceLock;

use libloading::Library;
use recio_jpeg::{Options, PixelFormat, Scale};

/// Names of the library, unless the variable TURBOJPEG has its path.
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

/// Loaded library.
#[derive(Debug)]
pub struct TurboJpeg {
    init: InitDecompress,
    destroy: Destroy,
    decompress_header: DecompressHeader,
    decompress: Decompress,
    /// Not closed before the last call of the functions above.
    _library: Library,
}

impl TurboJpeg {
    /// Return the library, loaded once; `None` if it is not installed.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<TurboJpeg>> = OnceLock::new();
        SHARED.get_or_init(Self::open).as_ref()
    }

    /// Load the library; `None` if it is not installed.
    ///
    /// # Panics
    /// If the variable TURBOJPEG has the path of something else.
    fn open() -> Option<Self> {
        if let Some(path) = std::env::var_os("TURBOJPEG") {
            // SAFETY: the variable must name libjpeg-turbo, whose loading has no side effects.
            let library = unsafe { Library::new(&path) };
            let library =
                library.unwrap_or_else(|error| panic!("TURBOJPEG={}: {error}", path.display()));
            return Some(
                Self::of(library).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
            );
        }
        // SAFETY: as above; these are the names of libjpeg-turbo.
        let mut libraries = NAMES
            .iter()
            .filter_map(|name| unsafe { Library::new(*name) }.ok());
        libraries.find_map(|library| Self::of(library).ok())
    }

    fn of(library: Library) -> Result<Self, libloading::Error> {
        // SAFETY: the types are those of turbojpeg.h, the same in 2.x and 3.x. The library outlives
        // the pointers.
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

    /// Decode an image of this size. Return `None` if libjpeg-turbo warns about it, or if the
    /// scaled size does not determine the scale.
    pub fn decode(&self, jpeg: &[u8], size: (usize, usize), options: &Options) -> Option<Vec<u8>> {
        if !is_scale_chosen_by_size(size, options.scale) {
            return None;
        }
        // A new decoder for each image, so that findings do not depend on earlier images.
        // SAFETY: the handle is only used by the calls below.
        let handle = unsafe { (self.init)() };
        let is_size = self.size(handle, jpeg) == size;
        let out = is_size
            .then(|| self.pixels(handle, jpeg, size, options))
            .flatten();
        // SAFETY: the handle is not used any more.
        unsafe { (self.destroy)(handle) };
        out
    }

    /// Return the size of the image, or 0 × 0 if the header cannot be read.
    fn size(&self, handle: Handle, jpeg: &[u8]) -> (usize, usize) {
        let (mut width, mut height, mut sampling, mut colors) = (0, 0, 0, 0);
        // SAFETY: it reads the bytes and writes four numbers. For sampling factors without a name
        // it fails after the size is written.
        unsafe {
            (self.decompress_header)(
                handle,
                jpeg.as_ptr(),
                jpeg.len() as c_ulong,
                &raw mut width,
                &raw mut height,
                &raw mut sampling,
                &raw mut colors,
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
        // SAFETY: it chooses a scale at which the image is not larger than this size, and writes at
        // most this number of rows and columns; the rows are contiguous (pitch 0).
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

/// Whether libjpeg-turbo chooses this scale for the scaled size: it takes the largest one that
/// fits. `next` is the next larger scale in eighths.
fn is_scale_chosen_by_size((width, height): (usize, usize), scale: Scale) -> bool {
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
