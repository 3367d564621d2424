//! What is named only to say that it is not wished.

use super::{Bound, Day, Item, Joint, Reader, What};

impl Reader<'_> {
    /// "Move it from Friday to Saturday": only where it is moved to is wished.
    pub(super) fn arrive(&mut self) {
        for day in [true, false] {
            let ends = |item: &Item| item.what.is_day() == day && !item.refused && !matches!(item.what, What::Part(_) | What::Half(_));
            let from = self.items.list.iter().position(|item| ends(item) && item.bound == Bound::From);
            let to = self.items.list.iter().position(|item| ends(item) && item.bound == Bound::Until);
            if let (Some(from), Some(to)) = (from, to) {
                self.items.list[to].bound = Bound::On;
                self.items.list.remove(from);
            }
        }
    }

    /// A "not" refuses what follows it in its clause, with what "or" and "and" add to that; if nothing follows, what stands before. A refused day takes the
    /// time said with it along: "not Friday morning".
    pub(super) fn refuse(&mut self) {
        for (at, clause) in std::mem::take(&mut self.refusals) {
            let list = &mut self.items.list;
            let following = list.iter().position(|item| item.clause == clause && item.at > at);
            let mut refused: Vec<usize> = Vec::new();
            if let Some(first) = following {
                let day = list[first].what.is_day();
                refused.push(first);
                for (index, item) in list.iter().enumerate().skip(first + 1).filter(|(_, item)| item.clause == clause) {
                    let added = item.joint > Joint::Close && item.what.is_day() == day;
                    let along = day && !item.what.is_day() && item.joint == Joint::Close;
                    if !added && !along {
                        break;
                    }
                    refused.push(index);
                }
            } else {
                let named = |item: &Item| {
                    matches!(item.what, What::Day(Day::Weekday(..) | Day::Each(_) | Day::Date(_) | Day::Near(_) | Day::OfMonth(_)))
                };
                let before = |item: &&Item| item.clause == clause;
                let weekday = list.iter().filter(before).any(named);
                let part = |item: &Item| !(weekday && matches!(item.what, What::Day(Day::Span(..))));
                refused.extend(list.iter().enumerate().filter(|(_, item)| before(item) && part(item)).map(|(index, _)| index));
            }
            let a_day = refused.iter().any(|index| list[*index].what.is_day());
            for index in refused.into_iter().rev() {
                if a_day && !list[index].what.is_day() {
                    list.remove(index);
                } else {
                    list[index].refused = true;
                }
            }
        }
    }
}
