//! A set of small numbers as bits: which cells of a grid a condition holds for.

/// A set of numbers below a length fixed at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// None of `len` numbers.
    pub(super) fn none(len: usize) -> Self {
        Self(vec![0; len.div_ceil(64)])
    }

    /// All of `len` numbers.
    pub(super) fn all(len: usize) -> Self {
        let mut words = vec![u64::MAX; len.div_ceil(64)];
        if let (Some(last), 1..) = (words.last_mut(), len % 64) {
            *last = (1 << (len % 64)) - 1;
        }
        Self(words)
    }

    /// One of `len` numbers.
    pub(super) fn one(len: usize, i: usize) -> Self {
        let mut bits = Self::none(len);
        bits.insert(i);
        bits
    }

    pub(super) fn insert(&mut self, i: usize) {
        self.0[i / 64] |= 1 << (i % 64);
    }

    pub(super) fn remove(&mut self, i: usize) {
        self.0[i / 64] &= !(1 << (i % 64));
    }

    pub(super) fn has(&self, i: usize) -> bool {
        self.0[i / 64] >> (i % 64) & 1 == 1
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(super) fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// How many numbers are in both.
    pub(super) fn shared(&self, other: &Self) -> usize {
        self.0.iter().zip(&other.0).map(|(a, b)| (a & b).count_ones() as usize).sum()
    }

    /// Whether the two share a number.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    /// Whether every number is in one of the two.
    pub(super) fn within(&self, one: &Self, two: &Self) -> bool {
        self.0.iter().zip(one.0.iter().zip(&two.0)).all(|(a, (b, c))| a & !(b | c) == 0)
    }

    pub(super) fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & b).collect())
    }

    pub(super) fn without(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & !b).collect())
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a |= b);
    }

    /// Keeps what is in the other too.
    pub(super) fn keep(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a &= b);
    }

    /// The numbers, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            let rest = |word: &u64| Some(word & word.wrapping_sub(1)).filter(|rest| *rest != 0);
            let words = std::iter::successors(Some(*word).filter(|word| *word != 0), rest);
            words.map(move |word| at * 64 + word.trailing_zeros() as usize)
        })
    }

    pub(super) fn first(&self) -> Option<usize> {
        self.iter().next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_behave() {
        let mut odd = Bits::none(130);
        (0..130).filter(|i| i % 2 == 1).for_each(|i| odd.insert(i));
        let all = Bits::all(130);
        assert_eq!((all.count(), odd.count(), all.shared(&odd)), (130, 65, 65));
        assert_eq!((Bits::all(0).count(), Bits::all(64).count(), Bits::all(65).count()), (0, 64, 65));
        assert_eq!(odd.first(), Some(1));
        assert_eq!(odd.iter().last(), Some(129));
        let even = all.without(&odd);
        assert!(even.has(128) && !even.has(129) && !even.meets(&odd) && even.and(&odd).is_empty());
        assert!(all.within(&odd, &even) && !all.within(&odd, &odd));
        let mut both = even.clone();
        both.add(&odd);
        assert_eq!(both, all);
        both.keep(&even);
        assert_eq!(both, even);
        both.remove(128);
        assert!(!both.has(128) && both.has(126));
        assert_eq!(Bits::one(130, 129).iter().collect::<Vec<_>>(), [129]);
    }
}
