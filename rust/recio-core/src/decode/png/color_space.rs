//! Gamma of a PNG as libpng 1.6.40 determines it from `gAMA`, `sRGB` and `iCCP`.
//!
//! Of ICC profiles libpng knows only those of sRGB that it can identify by checksums. An invalid
//! chunk makes it ignore those that follow. (`cHRM` does not change the gamma.)

use std::io::Read;

use flate2::bufread::ZlibDecoder;

use super::chunks::Chunk;
use crate::decode::input::Input;

/// libpng's gamma of sRGB, in units of 1/100,000.
const SRGB: u32 = 45_455;
/// Range of gammas that libpng accepts.
const GAMMAS: std::ops::RangeInclusive<u32> = 16..=625_000_000;
/// Number of rendering intents.
const INTENTS: u32 = 4;

/// Length, CRC-32 and intent of the profiles that libpng takes for sRGB: four of color.org, two of
/// Hewlett-Packard, and one of these without black point compensation.
const SRGB_PROFILES: [(u32, u32, u32); 7] = [
    (3048, 0x3b87_72b9, 0),
    (3052, 0x427e_bb21, 1),
    (60_988, 0x306f_d8ae, 0),
    (60_960, 0xbbef_7812, 0),
    (3024, 0x5d51_29ce, 1),
    (3144, 0x182e_a552, 0),
    (3144, 0xf29e_526d, 1),
];
/// A shorter `iCCP` chunk is ignored.
const MIN_PROFILE_CHUNK: usize = 14;
/// Bytes of a profile that are decompressed to check it. Longer ones are not sRGB.
const MAX_PROFILE: u64 = 1 << 20;

/// What the chunks so far say about the color space.
#[derive(Debug, Default)]
pub(super) struct ColorSpace {
    /// In units of 1/100,000.
    pub(super) gamma: Option<u32>,
    is_gamma_from_chunk: bool,
    is_srgb: bool,
    is_invalid: bool,
}

impl ColorSpace {
    /// Apply a chunk that comes before the palette and the image data.
    pub(super) fn apply(&mut self, chunk: &Chunk<'_>, is_color: bool) {
        if self.is_invalid {
            return;
        }
        match (&chunk.kind, chunk.data) {
            (b"gAMA", &[a, b, c, d]) => self.set_gamma(u32::from_be_bytes([a, b, c, d])),
            (b"sRGB", &[intent]) => self.set_srgb(intent.into()),
            (b"iCCP", data) if data.len() >= MIN_PROFILE_CHUNK => self.set_profile(data, is_color),
            _ => {}
        }
    }

    fn set_gamma(&mut self, gamma: u32) {
        if self.is_gamma_from_chunk || !GAMMAS.contains(&gamma) {
            self.is_invalid = true;
        } else if !self.is_srgb {
            self.gamma = Some(gamma);
            self.is_gamma_from_chunk = true;
        } else if is_about(SRGB, gamma) {
            // Libpng keeps the gamma of the file even if it is that of sRGB only approximately.
            self.gamma = Some(gamma);
            self.is_gamma_from_chunk = true;
        }
    }

    fn set_srgb(&mut self, intent: u32) {
        if self.is_srgb || intent >= INTENTS {
            self.is_invalid = true;
            return;
        }
        self.is_srgb = true;
        self.gamma = Some(SRGB);
    }

    fn set_profile(&mut self, data: &[u8], is_color: bool) {
        if self.is_srgb {
            self.is_invalid = true;
            return;
        }
        match decompress(data).filter(|profile| is_valid(profile, is_color)) {
            Some(profile) => {
                if let Some(intent) = srgb_intent(&profile) {
                    self.set_srgb(intent);
                }
            }
            None => self.is_invalid = true,
        }
    }
}

/// Return whether the quotient of two gammas differs from 1 by at most 5 %.
fn is_about(gamma: u32, other: u32) -> bool {
    (0.95..=1.05).contains(&(f64::from(gamma) / f64::from(other)))
}

/// Return the profile of an `iCCP` chunk: name, 0, method 0, and compressed data.
fn decompress(data: &[u8]) -> Option<Vec<u8>> {
    let name = data.iter().take(80).position(|byte| *byte == 0)?;
    let (method, compressed) = data[name + 1..].split_first()?;
    if name == 0 || *method != 0 {
        return None;
    }
    let mut profile = Vec::new();
    let mut decoder = ZlibDecoder::new(compressed).take(MAX_PROFILE);
    decoder.read_to_end(&mut profile).ok()?;
    Some(profile)
}

/// Check the header and the table of tags.
fn is_valid(profile: &[u8], is_color: bool) -> bool {
    check(&Input::big_endian("ICC", profile), is_color).unwrap_or(false)
}

fn check(profile: &Input<'_>, is_color: bool) -> crate::error::Result<bool> {
    let length = profile.bytes.len();
    let tags = profile.u32(128)? as usize;
    let table = profile.slice(132, tags.saturating_mul(12))?;
    let is_aligned = profile.u8(8)? <= 3 || length.is_multiple_of(4);
    let has_color_space = match profile.slice(16, 4)? {
        b"RGB " => is_color,
        b"GRAY" => !is_color,
        _ => false,
    };
    let is_length_right = profile.u32(0)? as usize == length || length as u64 == MAX_PROFILE;
    let has_class = !matches!(profile.slice(12, 4)?, b"abst" | b"link");
    let has_connection_space = matches!(profile.slice(20, 4)?, b"XYZ " | b"Lab ");
    let are_tags_inside = table.chunks_exact(12).all(|tag| {
        let tag = Input::big_endian("ICC", tag);
        let (start, size) = (tag.number(4, 4).unwrap_or(0), tag.number(8, 4).unwrap_or(0));
        start + size <= length as u64 || length as u64 == MAX_PROFILE
    });
    Ok(is_length_right
        && is_aligned
        && has_color_space
        && has_class
        && has_connection_space
        && are_tags_inside
        && profile.slice(36, 4)? == b"acsp"
        && profile.u32(64)? < 0xffff)
}

/// Return the rendering intent of a profile that libpng takes for sRGB.
fn srgb_intent(profile: &[u8]) -> Option<u32> {
    let intent = Input::big_endian("ICC", profile).u32(64).ok()?;
    let length = profile.len() as u32;
    if !SRGB_PROFILES
        .iter()
        .any(|known| (known.0, known.2) == (length, intent))
    {
        return None;
    }
    let mut crc = flate2::Crc::new();
    crc.update(profile);
    let found = (length, crc.sum(), intent);
    SRGB_PROFILES.contains(&found).then_some(intent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(chunks: &[(&[u8; 4], &[u8])]) -> Option<u32> {
        let mut space = ColorSpace::default();
        for (kind, data) in chunks {
            let chunk = Chunk::for_test(**kind, data);
            space.apply(&chunk, true);
        }
        space.gamma
    }

    #[test]
    fn gamma_comes_from_the_first_valid_chunks() {
        let half: &[u8] = &50_000_u32.to_be_bytes();
        let about_srgb: &[u8] = &45_000_u32.to_be_bytes();
        assert_eq!(after(&[(b"gAMA", half)]), Some(50_000));
        assert_eq!(after(&[(b"gAMA", half), (b"sRGB", &[0])]), Some(SRGB));
        assert_eq!(after(&[(b"sRGB", &[0]), (b"gAMA", half)]), Some(SRGB));
        assert_eq!(
            after(&[(b"sRGB", &[0]), (b"gAMA", about_srgb)]),
            Some(45_000)
        );
        assert_eq!(after(&[(b"gAMA", &[0; 4]), (b"gAMA", half)]), None);
        assert_eq!(after(&[(b"sRGB", &[4]), (b"gAMA", half)]), None);
        assert_eq!(
            after(&[(b"iCCP", b"sRGB\0\0junk"), (b"gAMA", half)]),
            Some(50_000)
        );
        assert_eq!(
            after(&[(b"iCCP", b"sRGB\0\0more junk"), (b"gAMA", half)]),
            None
        );
    }
}
