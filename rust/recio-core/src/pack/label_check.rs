//! Check of the labels that are packed: they may not be what the caller means.

use crate::dataset::box_check::BoxCheck;
use crate::format::list::Line;

/// The first lines with labels that look wrong.
pub(super) struct LabelCheck {
    pack_label: bool,
    dropped: Option<String>,
    boxes: BoxCheck,
}

impl LabelCheck {
    pub(super) fn new(pack_label: bool) -> Self {
        Self {
            pack_label,
            dropped: None,
            boxes: BoxCheck::default(),
        }
    }

    /// Checks the labels of a line.
    pub(super) fn add(&mut self, number: u64, line: &Line) {
        if self.pack_label {
            let locate = |text| format!("line {number}: {:?}: {text}", line.path);
            self.boxes.add(&line.labels, locate);
        } else if line.labels.len() > 1 {
            self.dropped.get_or_insert_with(|| {
                format!(
                    "line {number}: {:?}: only the first of {} labels is packed; --pack-label (pack_label=True) packs \
                     all, which detection needs",
                    line.path,
                    line.labels.len()
                )
            });
        }
    }

    /// Returns the warnings.
    pub(super) fn into_warnings(self) -> Vec<String> {
        let boxes = self.boxes.into_warnings();
        self.dropped.into_iter().chain(boxes).collect()
    }
}
