//! Scan headers, and the blocks of an MCU (ITU-T T.81, A.2, B.2.3).

use std::sync::Arc;

use crate::error::Result;
use crate::frame::{Frame, MAX_COMPONENTS};
use crate::huffman::{HuffmanTable, TableClass};
use crate::marker::Segment;
use crate::progressive::Band;
use crate::tables::Tables;

/// Maximum number of blocks in an MCU (B.2.3).
pub(crate) const MAX_MCU_BLOCKS: usize = 10;

/// Handling of damage in the data of a scan.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum OnDamage {
    /// Report an error.
    #[default]
    Error,
    /// Decode what there is, as libjpeg-turbo 3 does: missing data becomes gray, decoding resumes
    /// at the next restart marker that fits, and blocks of a progressive image that lacks scans are
    /// smoothed. The pixels are those of libjpeg-turbo.
    ///
    /// Two kinds of files differ. Of a file in several scans with damaged tables or unknown markers
    /// between them, libjpeg-turbo shows nothing; here it is an error, or what was read before. And
    /// libjpeg-turbo garbles an MCU in whose data a byte 0xff is repeated before its stuffed zero.
    Fill,
}

/// Scan header.
#[derive(Debug, Clone)]
pub(crate) struct Scan {
    components: [ScanComponent; MAX_COMPONENTS],
    count: usize,
    pub(crate) band: Band,
    mcu_blocks: [McuBlock; MAX_MCU_BLOCKS],
    mcu_block_count: usize,
    /// MCUs per row, and rows of MCUs.
    pub(crate) mcus: (usize, usize),
    pub(crate) restart_interval: usize,
}

/// Component of a scan.
#[derive(Debug, Default, Clone)]
pub(crate) struct ScanComponent {
    /// Index of the component in the frame.
    pub(crate) frame_index: usize,
    dc: Option<Arc<HuffmanTable>>,
    ac: Option<Arc<HuffmanTable>>,
}

/// Block of an MCU.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct McuBlock {
    /// Index of its component in the scan.
    pub(crate) scan_index: usize,
    /// Index of its component in the frame.
    pub(crate) frame_index: usize,
    /// Position among the component's blocks of this MCU.
    pub(crate) x: usize,
    pub(crate) y: usize,
    /// Number of the component's blocks in an MCU, horizontally and vertically.
    pub(crate) horizontal: usize,
    pub(crate) vertical: usize,
}

impl Scan {
    pub(crate) fn read(segment: &Segment<'_>, frame: &Frame, tables: &Tables) -> Result<Self> {
        let too_short = segment.damaged("a scan header is too short");
        let (&count, rest) = segment.content.split_first().ok_or(too_short.clone())?;
        let (selectors, rest) = rest
            .split_at_checked(2 * usize::from(count))
            .ok_or(too_short.clone())?;
        let &[ss, se, approximation, ..] = rest else {
            return Err(too_short);
        };
        let mut scan = Self {
            components: Default::default(),
            count: 0,
            band: Band {
                ss: ss.into(),
                se: se.into(),
                ah: (approximation >> 4).into(),
                al: (approximation & 15).into(),
            },
            mcu_blocks: [McuBlock::default(); MAX_MCU_BLOCKS],
            mcu_block_count: 0,
            mcus: frame.mcus(),
            restart_interval: tables.restart_interval,
        };
        for &selector in selectors.as_chunks::<2>().0 {
            scan.add(selector, frame, tables, segment)?;
        }
        scan.list_mcu_blocks(frame, segment)?;
        scan.check(frame, segment)?;
        Ok(scan)
    }

    pub(crate) fn components(&self) -> &[ScanComponent] {
        &self.components[..self.count]
    }

    pub(crate) fn mcu_blocks(&self) -> &[McuBlock] {
        &self.mcu_blocks[..self.mcu_block_count]
    }

    /// Check that all components have the Huffman tables of these classes.
    ///
    /// # Errors
    /// [`Error::Damaged`](crate::Error::Damaged) if a table is not defined.
    pub(crate) fn check_tables(&self, classes: &[TableClass], segment: &Segment<'_>) -> Result<()> {
        let is_there = |component: &ScanComponent| {
            classes
                .iter()
                .all(|&class| component.table(class).is_some())
        };
        if self.components().iter().all(is_there) {
            return Ok(());
        }
        Err(segment.damaged("a scan uses an undefined Huffman table"))
    }

    fn add(
        &mut self,
        [id, numbers]: [u8; 2],
        frame: &Frame,
        tables: &Tables,
        segment: &Segment<'_>,
    ) -> Result<()> {
        // If component ids are not unique, libjpeg uses the first one that is not in the scan yet.
        let is_taken = |at: usize| {
            self.components()
                .iter()
                .any(|component| component.frame_index == at)
        };
        let mut named = (0..).zip(frame.components()).filter(|(_, c)| c.id == id);
        let (frame_index, _) = named
            .find(|&(at, _)| !is_taken(at))
            .ok_or(segment.damaged("a scan has a component that is not in the frame"))?;
        let table = |class, number| tables.huffman(class, usize::from(number)).cloned();
        self.components[self.count] = ScanComponent {
            frame_index,
            dc: table(TableClass::Dc, numbers >> 4),
            ac: table(TableClass::Ac, numbers & 15),
        };
        self.count += 1;
        Ok(())
    }

    /// List the blocks of an MCU. An MCU of a single component is one block, and blocks without
    /// samples are not coded (A.2).
    fn list_mcu_blocks(&mut self, frame: &Frame, segment: &Segment<'_>) -> Result<()> {
        let is_alone = self.count == 1;
        for scan_index in 0..self.count {
            let frame_index = self.components[scan_index].frame_index;
            let component = &frame.components()[frame_index];
            let (horizontal, vertical) = if is_alone {
                self.mcus = frame.blocks(component);
                (1, 1)
            } else {
                (component.horizontal, component.vertical)
            };
            for (y, x) in (0..vertical).flat_map(|y| (0..horizontal).map(move |x| (y, x))) {
                let mcu_block = self.mcu_blocks.get_mut(self.mcu_block_count);
                *mcu_block.ok_or(segment.damaged("an MCU has more than ten blocks"))? = McuBlock {
                    scan_index,
                    frame_index,
                    x,
                    y,
                    horizontal,
                    vertical,
                };
                self.mcu_block_count += 1;
            }
        }
        Ok(())
    }

    fn check(&self, frame: &Frame, segment: &Segment<'_>) -> Result<()> {
        let Band { ss, se, ah, al } = self.band;
        let is_band = match (ss, se) {
            (0, 0) => true,
            (0, _) => false,
            _ => ss <= se && se < 64 && self.count == 1,
        };
        let is_precision = al <= 13 && (ah == 0 || ah == al + 1);
        if frame.is_progressive && !(is_band && is_precision) {
            return Err(segment
                .damaged("a scan's spectral selection or successive approximation is invalid"));
        }
        if self.count == 0 {
            return Err(segment.damaged("a scan has no components"));
        }
        Ok(())
    }
}

impl ScanComponent {
    pub(crate) fn table(&self, class: TableClass) -> Option<&HuffmanTable> {
        match class {
            TableClass::Dc => self.dc.as_deref(),
            TableClass::Ac => self.ac.as_deref(),
        }
    }
}
