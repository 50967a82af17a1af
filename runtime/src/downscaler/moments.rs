//! Mean and spread of members that come one after the other.

/// Takes the member that was drawn after `drawn` others: `squares` are the sums of squares around
/// the mean.
pub(super) fn add(drawn: u32, path: &[f32], mean: &mut [f32], squares: &mut [f32]) {
    let share = 1.0 / (drawn as f32 + 1.0);
    for ((value, mean), squares) in path.iter().zip(mean).zip(squares) {
        let off = value - *mean;
        *mean += share * off;
        *squares += off * (value - *mean);
    }
}

/// Sums of squares to standard deviations, of so many members.
pub(super) fn spread(members: u32, squares: &mut [f32]) {
    let others = members as f32 - 1.0;
    squares.iter_mut().for_each(|squares| *squares = libm::sqrtf(*squares / others));
}
