//! Optimal Huffman codes for given symbol counts (ITU-T T.81, annex C and K.2).
//!
//! No code may have more than 16 bits or be all ones. T.81 builds codes without the length limit
//! and shortens them afterwards, which makes them slightly longer than necessary. Package-merge
//! (Larmore and Hirschberg, JACM 1990) finds the optimum within the limit. It solves the coin
//! collector's problem: a code of length n is n coins of the values 1/2, 1/4 ... 1/2ⁿ, each at the
//! price of the symbol's count, and the cheapest set of coins with a total value of the number of
//! symbols − 1 is chosen.

/// Length of the longest code in bits.
const MAX_CODE_LENGTH: usize = 16;

/// Codes of one table.
#[derive(Debug)]
pub(crate) struct HuffmanCode {
    /// Number of codes of each length, from 1.
    pub(super) counts: [u8; MAX_CODE_LENGTH],
    /// Symbols in code order.
    pub(super) symbols: Vec<u8>,
    /// Code of each symbol, and its length.
    codes: [(u16, u8); 256],
}

impl HuffmanCode {
    /// Create the optimal codes for the counts of all symbols.
    pub(super) fn new(counts: &[u64; 256]) -> Self {
        let nonzero = (0..=255).filter(|&symbol: &u8| counts[usize::from(symbol)] > 0);
        let mut symbols: Vec<u8> = nonzero.collect();
        symbols.sort_by_key(|&symbol| counts[usize::from(symbol)]);
        // The first price is that of an additional symbol that is never used. It gets the longest
        // code, and as the last of that length the code of all ones.
        let prices = symbols.iter().map(|&symbol| counts[usize::from(symbol)]);
        let prices: Vec<u64> = [0].into_iter().chain(prices).collect();
        let mut by_length: Vec<(u8, u8)> =
            lengths(&prices).into_iter().skip(1).zip(symbols).collect();
        by_length.sort_unstable();
        Self::assign(&by_length)
    }

    /// Create the codes of a table's definition: the number of codes of each length, then the
    /// symbols.
    pub(crate) fn of_definition(definition: &[u8]) -> Self {
        let (counts, symbols) = definition.split_at(MAX_CODE_LENGTH.min(definition.len()));
        let lengths = (1..).zip(counts);
        let lengths = lengths.flat_map(|(length, &count)| (0..count).map(move |_| length));
        let by_length: Vec<(u8, u8)> = lengths.zip(symbols.iter().copied()).collect();
        Self::assign(&by_length)
    }

    /// Assign codes in order to symbols of ascending lengths (C.2).
    fn assign(by_length: &[(u8, u8)]) -> Self {
        let mut code = Self {
            counts: [0; MAX_CODE_LENGTH],
            symbols: by_length.iter().map(|&(_, symbol)| symbol).collect(),
            codes: [(0, 0); 256],
        };
        let (mut next, mut last) = (0, 0);
        for &(length, symbol) in by_length {
            next <<= length - last;
            code.codes[usize::from(symbol)] = (next, length);
            code.counts[usize::from(length) - 1] += 1;
            (next, last) = (next + 1, length);
        }
        code
    }

    /// Return the code of a symbol and its length; the length is 0 if the symbol was not counted.
    pub(crate) fn code(&self, symbol: u8) -> (u16, u8) {
        self.codes[usize::from(symbol)]
    }
}

/// Coin, or package of two items of half the value.
#[derive(Debug, Clone, Copy)]
struct Item {
    price: u64,
    is_coin: bool,
}

/// Return the code lengths of symbols with ascending counts. The lengths descend.
fn lengths(prices: &[u64]) -> Vec<u8> {
    let mut lengths = vec![0; prices.len()];
    let mut item_count = 2 * (prices.len() - 1);
    for items in items_by_value(prices).iter().rev() {
        let coins = items[..item_count]
            .iter()
            .filter(|item| item.is_coin)
            .count();
        // The cheapest coins are those of the first symbols.
        lengths[..coins].iter_mut().for_each(|length| *length += 1);
        item_count = 2 * (item_count - coins);
    }
    lengths
}

/// Return the coins and packages of each value, from the smallest value, cheapest first.
fn items_by_value(prices: &[u64]) -> Vec<Vec<Item>> {
    let coin = |&price| Item {
        price,
        is_coin: true,
    };
    let mut by_value: Vec<Vec<Item>> = Vec::with_capacity(MAX_CODE_LENGTH);
    for _ in 0..MAX_CODE_LENGTH {
        let smaller = by_value.last().map_or(&[][..], Vec::as_slice);
        let packages = smaller.as_chunks::<2>().0.iter().map(|[a, b]| Item {
            price: a.price + b.price,
            is_coin: false,
        });
        let mut items: Vec<Item> = prices.iter().map(coin).chain(packages).collect();
        items.sort_by_key(|item| item.price);
        by_value.push(items);
    }
    by_value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::huffman::{HuffmanTable, TableClass};

    fn code(counts: &[(u8, u64)]) -> HuffmanCode {
        let mut all = [0; 256];
        for &(symbol, count) in counts {
            all[usize::from(symbol)] = count;
        }
        HuffmanCode::new(&all)
    }

    /// Return the total length of all coded symbols.
    fn bits(counts: &[(u8, u64)]) -> u64 {
        let code = code(counts);
        let lengths = counts
            .iter()
            .map(|&(symbol, count)| count * u64::from(code.code(symbol).1));
        lengths.sum()
    }

    #[test]
    fn frequent_symbols_have_short_codes_and_none_is_all_ones() {
        let code = code(&[(7, 100), (1, 50), (9, 25), (3, 20)]);
        assert_eq!(code.symbols, [7, 1, 9, 3]);
        assert_eq!(
            [7, 1, 9, 3].map(|symbol| code.code(symbol)),
            [(0b0, 1), (0b10, 2), (0b110, 3), (0b1110, 4)]
        );
    }

    #[test]
    fn a_single_symbol_has_a_code_of_one_bit() {
        assert_eq!(code(&[(5, 9)]).code(5), (0, 1));
        assert!(code(&[]).symbols.is_empty());
    }

    /// Fibonacci numbers as counts need codes as long as the number of symbols.
    fn fibonacci() -> Vec<(u8, u64)> {
        let pairs = std::iter::successors(Some((1, 1)), |&(a, b)| Some((b, a + b)));
        (0..60).zip(pairs.map(|(a, _)| a)).collect()
    }

    #[test]
    fn no_code_has_more_than_16_bits() {
        let code = code(&fibonacci());
        let longest = code.symbols.iter().map(|&symbol| code.code(symbol).1);
        assert_eq!((longest.max(), code.symbols.len()), (Some(16), 60));
        let all: Vec<(u8, u64)> = (0..=255).map(|symbol| (symbol, 1)).collect();
        assert_eq!(bits(&all), 255 * 8 + 9);
    }

    #[test]
    fn the_decoder_accepts_every_table() {
        for counts in [fibonacci(), (0..=255).map(|s| (s, 1 << (s % 40))).collect()] {
            let code = code(&counts);
            let mut table = HuffmanTable::default();
            let filled = table.fill(TableClass::Ac, &code.counts, &code.symbols);
            assert!(filled.is_some());
        }
    }

    #[test]
    fn codes_are_optimal() {
        // Huffman's algorithm by hand: 1 + 2 = 3, 3 + 3 = 6, 4 + 5 = 9, 6 + 9 = 15; the unused
        // symbol adds 1.
        assert_eq!(
            bits(&[(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]),
            1 + 3 + 6 + 9 + 15
        );
    }
}
