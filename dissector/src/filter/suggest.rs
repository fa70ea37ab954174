//! The nearest name to a misspelt one.

/// Words longer than this are not compared.
const LONGEST: usize = 64;

/// The candidate that is nearest to `word`, if one is near enough to have been meant.
/// Upper and lower case, and `_` and `-`, count as the same.
pub(super) fn nearest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<String> {
    let wanted = folded(word)?;
    // Two slips in a word of six letters are a misspelling; more are another word.
    let limit = (wanted.len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let limit = best.map_or(limit + 1, |(distance, _)| distance);
        let Some(folded) = folded(candidate) else {
            continue;
        };
        if folded.len().abs_diff(wanted.len()) < limit {
            let distance = distance(&wanted, &folded);
            if distance < limit {
                best = Some((distance, candidate));
            }
        }
    }
    best.map(|(_, candidate)| candidate.to_owned())
}

fn folded(word: &str) -> Option<Vec<char>> {
    if word.len() > LONGEST {
        return None;
    }
    let fold = |c: char| {
        if c == '_' {
            '-'
        } else {
            c.to_ascii_lowercase()
        }
    };
    Some(word.chars().map(fold).collect())
}

/// How many letters have to be put in, left out, replaced, or swapped with the next.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, y) in b.iter().enumerate() {
            let mut cost = (last[j] + usize::from(x != y))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(word: &str, candidates: &[&str], expected: Option<&str>) {
        let found = nearest(word, candidates.iter().copied());
        assert_eq!(found.as_deref(), expected, "{word}");
    }

    #[test]
    fn slips_are_found_and_other_words_are_not() {
        let names = ["ifname", "ifalias", "mtu", "txqlen", "protocol"];
        check("ifnmae", &names, Some("ifname"));
        check("IFNAME", &names, Some("ifname"));
        check("protcol", &names, Some("protocol"));
        check("mut", &names, Some("mtu"));
        check("carrier", &names, None);
        check("", &names, None);
        check(&"x".repeat(1000), &names, None);
    }
}
