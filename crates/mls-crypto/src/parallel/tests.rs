use super::Parallel;

/// As many pieces as asked for, the last one first.
struct Backwards(usize);

impl Parallel for Backwards {
    fn width(&self) -> usize {
        self.0
    }

    fn run(&self, pieces: usize, work: &(dyn Fn(usize) + Sync)) {
        (0..pieces).rev().for_each(work);
    }
}

#[test]
fn pieces_cover_all_items_in_order() {
    for width in 0..5 {
        for len in 0..9 {
            let items: Vec<usize> = (0..len).collect();
            let parallel: &dyn Parallel = &Backwards(width);
            let pieces = parallel.in_pieces(items.clone(), &|piece| piece);
            assert!(pieces.len() <= width.max(1) && pieces.iter().all(|piece| !piece.is_empty()));
            assert_eq!(pieces.concat(), items);
        }
    }
}
