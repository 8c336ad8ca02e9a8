//! In which order contestants have their turns. Also `--part lambda` has this file.

/// The order of one round: 0, 1, last, 2, last but one, ..., each round one further on, and
/// mirrored every `count` rounds (a Williams design). So nobody always comes after the same
/// neighbour, whose work is what the processor's caches are full of.
pub(crate) fn in_turn(count: usize, round: usize) -> impl Iterator<Item = usize> {
    let mirrored = (round / count) % 2 == 1;
    (0..count).map(move |place| {
        let step = if place % 2 == 1 {
            place.div_ceil(2)
        } else {
            count - place / 2
        };
        (if mirrored { count - step } else { step } + round) % count
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_comes_after_everybody_else_equally_often() {
        for count in [2, 3, 5, 8] {
            let mut after = vec![vec![0; count]; count];
            for round in 0..2 * count {
                let order: Vec<usize> = in_turn(count, round).collect();
                let mut sorted = order.clone();
                sorted.sort_unstable();
                assert!(sorted.into_iter().eq(0..count), "{order:?}");
                order
                    .windows(2)
                    .for_each(|pair| after[pair[0]][pair[1]] += 1);
            }
            for (one, others) in after.iter().enumerate() {
                assert!(
                    others
                        .iter()
                        .enumerate()
                        .all(|(other, times)| *times == if one == other { 0 } else { 2 }),
                    "{count}: {after:?}"
                );
            }
        }
    }
}
