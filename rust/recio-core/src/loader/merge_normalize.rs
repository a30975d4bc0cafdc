//! Merges a normalization among the steps with the one that all rows of a batch pass through.

use crate::plan::Step;
use crate::render::normalize::{Element, Normalize};

/// Removes a normalization from the end of `steps` and returns it merged with `normalize`, or
/// `normalize` if there is none that could be merged.
///
/// Merged, it is done by tables when rows are written, without images of floats. The results differ
/// in the last bits.
pub(super) fn merge<T: Element>(steps: &mut Vec<Step>, normalize: &Normalize) -> Normalize {
    *steps = flattened(std::mem::take(steps));
    let is_plain = *normalize == Normalize::default() && T::IS_FLOAT;
    let (kept, merged) = match steps.as_slice() {
        [kept @ .., Step::Cast, Step::Normalize(mean, std)]
        | [kept @ .., Step::Normalize(mean, std)] => (kept, Some((mean, std))),
        [kept @ .., Step::Cast] => (kept, None),
        _ => return normalize.clone(),
    };
    let is_u8 = !kept.iter().any(|step| step.any(&Step::makes_floats));
    if !is_u8 || (merged.is_some() && !is_plain) {
        return normalize.clone();
    }
    let four =
        |values: &[f64; 3], last| [values[0] as f32, values[1] as f32, values[2] as f32, last];
    let merged = merged.map(|(mean, std)| Normalize {
        mean: four(mean, 0.0),
        std: four(std, 1.0),
        divide: true,
        ..Normalize::default()
    });
    steps.truncate(kept.len());
    merged.unwrap_or_else(|| normalize.clone())
}

/// Returns steps with the steps of sequences in their place.
fn flattened(steps: Vec<Step>) -> Vec<Step> {
    let flat = steps.into_iter().flat_map(|step| match step {
        Step::Sequence(steps) => flattened(steps),
        step => vec![step],
    });
    flat.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(mut steps: Vec<Step>) -> (usize, Normalize) {
        let normalize = merge::<f32>(&mut steps, &Normalize::default());
        (steps.len(), normalize)
    }

    fn normalize() -> Step {
        Step::Normalize([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    }

    #[test]
    fn a_last_normalization_of_8_bit_values_is_merged() {
        let (steps, normalize_by) = merged(vec![Step::Mirror(0.5), Step::Cast, normalize()]);
        assert_eq!(steps, 1);
        let expected = Normalize {
            mean: [1.0, 2.0, 3.0, 0.0],
            std: [4.0, 5.0, 6.0, 1.0],
            divide: true,
            ..Normalize::default()
        };
        assert_eq!(normalize_by, expected);
        assert_eq!(
            merged(vec![Step::Mirror(0.5), Step::Cast]),
            (1, Normalize::default())
        );
    }

    #[test]
    fn steps_of_sequences_are_merged_as_others() {
        let inner = Step::Sequence(vec![Step::Mirror(0.5), Step::Cast]);
        let (steps, normalize_by) = merged(vec![Step::Sequence(vec![inner, normalize()])]);
        assert_eq!((steps, normalize_by.mean[0]), (1, 1.0));
    }

    #[test]
    fn a_normalization_of_floats_is_not_merged() {
        let steps = vec![Step::Cast, Step::Brightness(0.5), normalize()];
        assert_eq!(merged(steps), (3, Normalize::default()));
        let steps = vec![
            Step::RandomOrder(vec![Step::Hue(0.1)]),
            Step::Cast,
            normalize(),
        ];
        assert_eq!(merged(steps), (3, Normalize::default()));
        let mut steps = vec![Step::Cast, normalize()];
        assert_eq!(
            merge::<u8>(&mut steps, &Normalize::default()),
            Normalize::default()
        );
        assert_eq!(steps.len(), 2);
    }
}
