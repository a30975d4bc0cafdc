//! The shortest Huffman codes for symbols that are there so often (ITU-T T.81, annex C and K.2).
//!
//! No code may have more than 16 bits, and none be all ones. T.81 builds codes without that limit and shortens them
//! afterwards, which leaves them a little longer than they need to be. Package-merge (Larmore and Hirschberg, JACM 1990) finds
//! the shortest within the limit: a code of length n is n coins worth 1/2, 1/4 ... 1/2ⁿ, each at the price of the symbol's
//! number, and what is sought is the cheapest purse worth one less than there are symbols.

/// Bits of the longest code.
const MAX_CODE_LENGTH: usize = 16;

/// The codes of one table.
#[derive(Debug)]
pub(super) struct Code {
    /// How many there are of each length, from 1.
    pub(super) counts: [u8; MAX_CODE_LENGTH],
    /// Their symbols, in the order of the codes.
    pub(super) symbols: Vec<u8>,
    /// Of each symbol, the code and its length.
    words: [(u16, u8); 256],
}

impl Code {
    /// The codes for symbols of which there are so many.
    pub(super) fn new(counts: &[u64; 256]) -> Self {
        let present = (0..=255).filter(|&symbol: &u8| counts[usize::from(symbol)] > 0);
        let mut symbols: Vec<u8> = present.collect();
        symbols.sort_by_key(|&symbol| counts[usize::from(symbol)]);
        // The first price is that of a symbol that is never used. It gets the longest code, and as the last of that length
        // the one that is all ones.
        let prices = symbols.iter().map(|&symbol| counts[usize::from(symbol)]);
        let prices: Vec<u64> = [0].into_iter().chain(prices).collect();
        let mut ranked: Vec<(u8, u8)> = lengths(&prices).into_iter().skip(1).zip(symbols).collect();
        ranked.sort_unstable();
        Self::assign(&ranked)
    }

    /// Gives symbols, whose lengths ascend, the codes in order (C.2).
    fn assign(ranked: &[(u8, u8)]) -> Self {
        let mut code = Self {
            counts: [0; MAX_CODE_LENGTH],
            symbols: ranked.iter().map(|&(_, symbol)| symbol).collect(),
            words: [(0, 0); 256],
        };
        let (mut next, mut last) = (0, 0);
        for &(length, symbol) in ranked {
            next <<= length - last;
            code.words[usize::from(symbol)] = (next, length);
            code.counts[usize::from(length) - 1] += 1;
            (next, last) = (next + 1, length);
        }
        code
    }

    /// A symbol's code, and its length; 0 if it was not counted.
    pub(super) fn word(&self, symbol: u8) -> (u16, u8) {
        self.words[usize::from(symbol)]
    }
}

/// A coin, or two of the next smaller kind that count as one.
#[derive(Debug, Clone, Copy)]
struct Item {
    price: u64,
    is_coin: bool,
}

/// The lengths of the codes of symbols whose numbers ascend: they descend.
fn lengths(prices: &[u64]) -> Vec<u8> {
    let mut lengths = vec![0; prices.len()];
    let mut taken = 2 * (prices.len() - 1);
    for items in purses(prices).iter().rev() {
        let coins = items[..taken].iter().filter(|item| item.is_coin).count();
        // The cheapest coins are the first symbols'.
        lengths[..coins].iter_mut().for_each(|length| *length += 1);
        taken = 2 * (taken - coins);
    }
    lengths
}

/// For each worth from the smallest, the coins and the pairs of that worth, the cheapest first.
fn purses(prices: &[u64]) -> Vec<Vec<Item>> {
    let coin = |&price| Item {
        price,
        is_coin: true,
    };
    let mut purses: Vec<Vec<Item>> = Vec::with_capacity(MAX_CODE_LENGTH);
    for _ in 0..MAX_CODE_LENGTH {
        let smaller = purses.last().map_or(&[][..], Vec::as_slice);
        let pairs = smaller.as_chunks::<2>().0.iter().map(|[a, b]| Item {
            price: a.price + b.price,
            is_coin: false,
        });
        let mut items: Vec<Item> = prices.iter().map(coin).chain(pairs).collect();
        items.sort_by_key(|item| item.price);
        purses.push(items);
    }
    purses
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::huffman::{HuffmanTable, TableClass};

    fn code(counts: &[(u8, u64)]) -> Code {
        let mut all = [0; 256];
        for &(symbol, count) in counts {
            all[usize::from(symbol)] = count;
        }
        Code::new(&all)
    }

    /// The sum of the lengths of all that is coded.
    fn bits(counts: &[(u8, u64)]) -> u64 {
        let code = code(counts);
        let lengths = counts
            .iter()
            .map(|&(symbol, count)| count * u64::from(code.word(symbol).1));
        lengths.sum()
    }

    #[test]
    fn frequent_symbols_have_short_codes_and_none_is_all_ones() {
        let code = code(&[(7, 100), (1, 50), (9, 25), (3, 20)]);
        assert_eq!(code.symbols, [7, 1, 9, 3]);
        assert_eq!(
            [7, 1, 9, 3].map(|symbol| code.word(symbol)),
            [(0b0, 1), (0b10, 2), (0b110, 3), (0b1110, 4)]
        );
    }

    #[test]
    fn a_single_symbol_has_a_code_of_one_bit() {
        assert_eq!(code(&[(5, 9)]).word(5), (0, 1));
        assert!(code(&[]).symbols.is_empty());
    }

    /// The numbers of Fibonacci ask for a code as long as there are symbols.
    fn fibonacci() -> Vec<(u8, u64)> {
        let pairs = std::iter::successors(Some((1, 1)), |&(a, b)| Some((b, a + b)));
        (0..60).zip(pairs.map(|(a, _)| a)).collect()
    }

    #[test]
    fn no_code_has_more_than_16_bits() {
        let code = code(&fibonacci());
        let longest = code.symbols.iter().map(|&symbol| code.word(symbol).1);
        assert_eq!((longest.max(), code.symbols.len()), (Some(16), 60));
        let all: Vec<(u8, u64)> = (0..=255).map(|symbol| (symbol, 1)).collect();
        assert_eq!(bits(&all), 255 * 8 + 9);
    }

    #[test]
    fn a_decoder_takes_every_table() {
        for counts in [fibonacci(), (0..=255).map(|s| (s, 1 << (s % 40))).collect()] {
            let code = code(&counts);
            let mut table = HuffmanTable::default();
            let filled = table.fill(TableClass::Ac, &code.counts, &code.symbols);
            assert!(filled.is_some());
        }
    }

    #[test]
    fn the_codes_are_the_shortest() {
        // Huffman's own, by hand: 1 + 2 = 3, 3 + 3 = 6, 4 + 5 = 9, 6 + 9 = 15; with the one that is not used 1 more.
        assert_eq!(
            bits(&[(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]),
            1 + 3 + 6 + 9 + 15
        );
    }
}
