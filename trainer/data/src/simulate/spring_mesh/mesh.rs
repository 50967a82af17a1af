//! Masses, springs to all eight neighbours, and their motion.

/// A vector in the plane.
type Vector = [f64; 2];

/// Unit masses in rows and columns, `[row][column]`, at a distance of 1 when at rest.
#[derive(Clone, Debug)]
pub(super) struct Mesh {
    columns: usize,
    stiffness: f64,
    damping: f64,
    springs: Vec<Spring>,
    places: Vec<Vector>,
    momenta: Vec<Vector>,
}

/// What holds two masses at a distance.
#[derive(Clone, Copy, Debug)]
struct Spring {
    ends: [usize; 2],
    length: f64,
}

impl Mesh {
    /// Every mass in its place and still.
    pub(super) fn at_rest([rows, columns]: [usize; 2], stiffness: f64, damping: f64) -> Self {
        let mut springs = Vec::new();
        for at in 0..rows * columns {
            let (row, column) = (at / columns, at % columns);
            // Right, down, and both diagonals down: each pair once.
            for (down, right) in [(0, 1), (1, 0), (1, 1), (1, -1)] {
                let other = (row + down, column.wrapping_add_signed(right));
                if other.0 < rows && other.1 < columns {
                    let length = if down == 1 && right != 0 { 2.0_f64.sqrt() } else { 1.0 };
                    springs.push(Spring { ends: [at, other.0 * columns + other.1], length });
                }
            }
        }
        let mut mesh =
            Self { columns, stiffness, damping, springs, places: Vec::new(), momenta: Vec::new() };
        mesh.places = (0..rows * columns).map(|at| mesh.home(at)).collect();
        mesh.momenta = vec![[0.0; 2]; rows * columns];
        mesh
    }

    /// Where a mass is at rest.
    fn home(&self, at: usize) -> Vector {
        [(at % self.columns) as f64, (at / self.columns) as f64]
    }

    /// The places of the masses that can move: all but the first row.
    pub(super) fn free_places(&mut self) -> &mut [Vector] {
        &mut self.places[self.columns..]
    }

    /// How far each mass is from its place.
    pub(super) fn displacements(&self) -> Vec<Vector> {
        let from_home = |(at, place): (usize, &Vector)| minus(*place, self.home(at));
        self.places.iter().enumerate().map(from_home).collect()
    }

    pub(super) fn momenta(&self) -> &[Vector] {
        &self.momenta
    }

    /// Of the motion and of the springs.
    pub(super) fn energy(&self) -> f64 {
        let motion = self.momenta.iter().map(|p| 0.5 * square(*p)).sum::<f64>();
        let springs = self.springs.iter().map(|spring| {
            let [a, b] = spring.ends.map(|end| self.places[end]);
            0.5 * self.stiffness * (square(minus(b, a)).sqrt() - spring.length).powi(2)
        });
        motion + springs.sum::<f64>()
    }

    /// A step of RK4.
    pub(super) fn step(&mut self, dt: f64) {
        let start = (self.places.clone(), self.momenta.clone());
        let mut sum = (start.0.clone(), start.1.clone());
        for (reach, weight) in [(0.5, 1.0), (0.5, 2.0), (1.0, 2.0), (0.0, 1.0)] {
            let (velocities, forces) = (self.momenta.clone(), self.forces());
            add(&mut sum.0, &velocities, weight * dt / 6.0);
            add(&mut sum.1, &forces, weight * dt / 6.0);
            (self.places, self.momenta) = start.clone();
            add(&mut self.places, &velocities, reach * dt);
            add(&mut self.momenta, &forces, reach * dt);
        }
        (self.places, self.momenta) = sum;
    }

    /// On every mass; none on those that do not move.
    fn forces(&self) -> Vec<Vector> {
        let mut forces: Vec<Vector> =
            self.momenta.iter().map(|p| [-self.damping * p[0], -self.damping * p[1]]).collect();
        for Spring { ends: [a, b], length } in &self.springs {
            let apart = minus(self.places[*b], self.places[*a]);
            let pull = self.stiffness * (1.0 - length / square(apart).sqrt());
            for axis in 0..2 {
                forces[*a][axis] += pull * apart[axis];
                forces[*b][axis] -= pull * apart[axis];
            }
        }
        forces[..self.columns].fill([0.0; 2]);
        forces
    }
}

fn minus(a: Vector, b: Vector) -> Vector {
    [a[0] - b[0], a[1] - b[1]]
}

fn square(a: Vector) -> f64 {
    a[0] * a[0] + a[1] * a[1]
}

fn add(to: &mut [Vector], vectors: &[Vector], factor: f64) {
    for (to, vector) in to.iter_mut().zip(vectors) {
        to[0] += factor * vector[0];
        to[1] += factor * vector[1];
    }
}
