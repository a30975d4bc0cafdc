//! The objects of an image, as detection labels them: they are drawn along with the image, whose steps move them.

/// Objects: for each a class, a box, and whatever else its label has.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Boxes {
    /// Values an object, at least 5: class, left, top, right, bottom, in fractions of the image's sides; then others.
    pub width: usize,
    /// The objects' values, one object after another.
    pub values: Vec<f32>,
}

impl Boxes {
    /// The objects.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.width)
    }

    /// The objects, to be changed.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = &mut [f32]> {
        self.values.chunks_exact_mut(self.width)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}
