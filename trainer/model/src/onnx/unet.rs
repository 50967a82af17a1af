//! The paper's U-Net, as `finescale-train` has it.

use anyhow::Result;
use serde::Deserialize;

use super::blocks::{Blocks, Map};
use super::boundary::Domain;
use super::graph::Value;

/// Channels that are normalised together are an eighth of all.
const GROUPS: i64 = 8;
const HEADS: i64 = 4;
const HEAD_DIM: i64 = 32;

/// Its section of the configuration.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Unet {
    multipliers: Vec<usize>,
}

impl Unet {
    /// Fields to what comes out of the last layer. `lambda`: its features, `[1][feature]`.
    pub(super) fn forward(
        &self,
        blocks: &mut Blocks<'_>,
        fields: Map,
        lambda: &Value,
        domain: &Domain,
    ) -> Result<Map> {
        blocks.graph.part("lambda");
        let hidden = blocks.dense("lambda.0", lambda)?;
        let hidden = blocks.silu_of_lambda(&hidden);
        let embedding = blocks.dense("lambda.1", &hidden)?;
        let embedding = &blocks.silu_of_lambda(&embedding);

        let deepest = self.multipliers.len() - 1;
        let mut domain = domain.clone();
        let first = blocks.conv("first", &fields, &domain)?;
        let (mut h, mut skips) = (first.clone(), Vec::new());
        for n in 0..=deepest {
            h = residual(blocks, &format!("down.{n}.blocks.0"), &h, embedding, &domain)?;
            skips.push(h.clone());
            h = residual(blocks, &format!("down.{n}.blocks.1"), &h, embedding, &domain)?;
            if n == deepest {
                h = attention(blocks, &format!("down.{n}.attention"), &h, &domain)?;
            }
            skips.push(h.clone());
            if n < deepest {
                h = blocks.folded(&h, &domain);
                domain = domain.halved();
            }
            h = blocks.conv(&format!("down.{n}.resize"), &h, &domain)?;
        }
        h = residual(blocks, "middle.0", &h, embedding, &domain)?;
        h = attention(blocks, "attention", &h, &domain)?;
        h = residual(blocks, "middle.1", &h, embedding, &domain)?;
        for n in 0..=deepest {
            for block in 0..2 {
                let skip = skips.pop().expect("every level leaves two");
                let both = blocks.joined(&h, &skip);
                let name = format!("up.{n}.blocks.{block}");
                h = residual(blocks, &name, &both, embedding, &domain)?;
            }
            if n == 0 {
                h = attention(blocks, &format!("up.{n}.attention"), &h, &domain)?;
            }
            h = blocks.conv(&format!("up.{n}.resize"), &h, &domain)?;
            if n < deepest {
                h = blocks.twice(&h, &domain);
                domain = domain.doubled();
            }
        }
        let both = blocks.joined(&h, &first);
        let h = residual(blocks, "last_block", &both, embedding, &domain)?;
        blocks.conv("last", &h, &domain)
    }
}

fn residual(
    blocks: &mut Blocks<'_>,
    name: &str,
    x: &Map,
    embedding: &Value,
    domain: &Domain,
) -> Result<Map> {
    let h = blocks.conv(&format!("{name}.convs.0"), x, domain)?;
    let h = blocks.group_norm(&format!("{name}.norms.0"), &h, GROUPS, domain)?;
    let mut h = blocks.modulated(&format!("{name}.modulation"), &h, embedding)?;
    h.value = blocks.silu(&h.value);
    let h = blocks.conv(&format!("{name}.convs.1"), &h, domain)?;
    let mut h = blocks.group_norm(&format!("{name}.norms.1"), &h, GROUPS, domain)?;
    h.value = blocks.silu(&h.value);
    let shortcut = format!("{name}.shortcut");
    let x = if blocks.has(&shortcut) { blocks.conv(&shortcut, x, domain)? } else { x.clone() };
    Ok(Map { value: blocks.add(&h.value, &x.value), ..h })
}

/// Attention whose cost is linear in the number of points, with a residual.
fn attention(blocks: &mut Blocks<'_>, name: &str, x: &Map, domain: &Domain) -> Result<Map> {
    let [ny, nx] = domain.points();
    let (heads, points) = (HEADS * HEAD_DIM, ny * nx);
    let normal = blocks.group_norm(&format!("{name}.norm"), x, GROUPS, domain)?;
    let all = blocks.conv(&format!("{name}.project"), &normal, domain)?;
    let mut part = |n: i64| {
        let part = blocks.slice(&all.value, (4, 1), n * heads..(n + 1) * heads, 3 * heads);
        blocks.reshape(&part, &[0, HEADS, HEAD_DIM, points], &[0, heads, ny, nx])
    };
    let (queries, keys, values) = (part(0), part(1), part(2));
    let queries = blocks.softmax(&queries, 2);
    let share = blocks.graph.scalar(1.0 / (HEAD_DIM as f64).sqrt());
    let queries = blocks.scaled(&queries, &share);
    let keys = blocks.softmax(&keys, 3);
    let values = blocks.transpose(&values, &[0, 1, 3, 2]);
    let context = blocks.matmul(&keys, &values);
    let context = blocks.transpose(&context, &[0, 1, 3, 2]);
    let read = blocks.matmul(&context, &queries);
    let read = blocks.reshape(&read, &[0, heads, ny, nx], &[0, HEADS, HEAD_DIM, points]);
    let read = Map { value: read, channels: heads };
    let out = blocks.conv(&format!("{name}.out"), &read, domain)?;
    let gain = blocks.weight(&format!("{name}.gain"), &[1, x.channels as usize, 1, 1])?;
    let out = blocks.scaled(&out.value, &gain);
    Ok(Map { value: blocks.add(&x.value, &out), channels: x.channels })
}
