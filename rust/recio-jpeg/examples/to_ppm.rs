//! Convert a JPEG, or a region of it, to PPM:
//!
//! ```text
//! cargo run --release -p recio-jpeg --example to_ppm -- photo.jpg out.ppm [x y width height]
//! ```

use std::error::Error;
use std::io::Write;

use recio_jpeg::{Decoder, Header, Options, Region};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to, numbers @ ..] = &arguments[..] else {
        return Err("usage: to_ppm FROM.jpg TO.ppm [X Y WIDTH HEIGHT]".into());
    };
    let jpeg = std::fs::read(from)?;
    let header = Header::read(&jpeg)?;
    let region = region(numbers)?.unwrap_or(Region {
        width: header.size().0,
        height: header.size().1,
        ..Region::default()
    });
    let options = Options {
        region: Some(region),
        ..Options::default()
    };

    let mut decoder = Decoder::new();
    let mut rows = decoder.start(&jpeg, &header, &options)?;
    let mut file = std::io::BufWriter::new(std::fs::File::create(to)?);
    writeln!(file, "P6 {} {} 255", region.width, region.height)?;
    let mut row = vec![0; region.width * options.pixel_format.channels()];
    for y in 0..region.height {
        rows.read_row(y, &mut row)?;
        file.write_all(&row)?;
    }
    rows.finish()?;
    Ok(file.flush()?)
}

fn region(numbers: &[String]) -> Result<Option<Region>, Box<dyn Error>> {
    let numbers: Result<Vec<usize>, _> = numbers.iter().map(|word| word.parse()).collect();
    match numbers?[..] {
        [] => Ok(None),
        [x, y, width, height] => Ok(Some(Region {
            x,
            y,
            width,
            height,
        })),
        _ => Err("a region is X Y WIDTH HEIGHT".into()),
    }
}
