//! FLEX's Transformer U-Net, as `finescale-train` has it.

use anyhow::Result;
use serde::Deserialize;

use super::blocks::{Blocks, Map};
use super::boundary::Domain;
use super::graph::Value;

/// Its section of the configuration.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Flex {
    blocks: Vec<usize>,
    groups: i64,
    transformer: bool,
    depth: usize,
    heads: i64,
}

/// What a block does to the number of points.
#[derive(Clone, Copy)]
enum Resize {
    Keep,
    Halve,
    Double,
}

impl Flex {
    /// Fields to what comes out of the last layer. `lambda`: its features, `[1][feature]`.
    pub(super) fn forward(
        &self,
        blocks: &mut Blocks<'_>,
        fields: Map,
        lambda: Option<&Value>,
        domain: &Domain,
    ) -> Result<Map> {
        let embedding = lambda.map(|lambda| embedded(blocks, lambda)).transpose()?;
        let embedding = embedding.as_ref();
        let mut domain = domain.clone();
        let mut h = blocks.conv("encoder.first", &fields, &domain)?;
        let mut maps = vec![h.clone()];
        let resizes: Vec<Resize> = self
            .blocks
            .iter()
            .flat_map(|n| std::iter::repeat_n(Resize::Keep, *n).chain([Resize::Halve]))
            .collect();
        for (n, &resize) in resizes.iter().enumerate() {
            let name = format!("encoder.blocks.{n}");
            h = self.block(blocks, &name, &h, embedding, (&mut domain, resize))?;
            maps.push(h.clone());
        }
        if self.transformer {
            h = self.transformed(blocks, &h, embedding, &domain)?;
        }
        // The way back: what halved the points doubles them.
        let back = resizes.iter().rev().map(|resize| match resize {
            Resize::Halve => Resize::Double,
            Resize::Keep | Resize::Double => Resize::Keep,
        });
        for (n, (resize, map)) in back.chain([Resize::Keep]).zip(maps.iter().rev()).enumerate() {
            let (name, both) = (format!("decoder.blocks.{n}"), blocks.joined(&h, map));
            h = self.block(blocks, &name, &both, embedding, (&mut domain, resize))?;
        }
        let mut h = blocks.group_norm("decoder.norm", &h, self.groups, &domain)?;
        h.value = blocks.silu(&h.value);
        blocks.conv("decoder.last", &h, &domain)
    }

    fn block(
        &self,
        blocks: &mut Blocks<'_>,
        name: &str,
        x: &Map,
        embedding: Option<&Value>,
        (domain, resize): (&mut Domain, Resize),
    ) -> Result<Map> {
        let before = domain.clone();
        *domain = match resize {
            Resize::Keep => before.clone(),
            Resize::Halve => before.halved(),
            Resize::Double => before.doubled(),
        };
        let resized = |blocks: &mut Blocks<'_>, map: &Map| match resize {
            Resize::Keep => map.clone(),
            Resize::Halve => blocks.half(map, &before),
            Resize::Double => blocks.twice(map, &before),
        };
        let mut h = blocks.group_norm(&format!("{name}.norms.0"), x, self.groups, &before)?;
        h.value = blocks.silu(&h.value);
        let h = blocks.conv(&format!("{name}.convs.0"), &h, &before)?;
        let h = resized(blocks, &h);
        let mut h = blocks.group_norm(&format!("{name}.norms.1"), &h, self.groups, domain)?;
        if let Some(embedding) = embedding {
            h = blocks.modulated(&format!("{name}.modulation"), &h, embedding)?;
        }
        h.value = blocks.silu(&h.value);
        let h = blocks.conv(&format!("{name}.convs.1"), &h, domain)?;
        let x = resized(blocks, x);
        let shortcut = format!("{name}.shortcut");
        let x = if blocks.has(&shortcut) { blocks.conv(&shortcut, &x, domain)? } else { x };
        Ok(Map { value: blocks.add(&h.value, &x.value), ..h })
    }

    /// The transformer over the points of the coarsest map.
    fn transformed(
        &self,
        blocks: &mut Blocks<'_>,
        map: &Map,
        embedding: Option<&Value>,
        domain: &Domain,
    ) -> Result<Map> {
        blocks.graph.part("transformer");
        let ([ny, nx], width) = (domain.points(), map.channels);
        let points = ny * nx;
        let tokens = blocks.reshape(&map.value, &[0, width, points], &[0, width, ny, nx]);
        let tokens = blocks.transpose(&tokens, &[0, 2, 1]);
        // One token more, in front, which is λ's: an input of zeros, to which it is added.
        let mut h = blocks.behind_zeros(&tokens);
        let condition = |blocks: &mut Blocks<'_>, n: usize| -> Result<Option<Value>> {
            let Some(embedding) = embedding else { return Ok(None) };
            let of = blocks.dense(&format!("transformer.conditions.{n}"), embedding)?;
            let of = blocks.graph.unsqueeze(&of, &[1]);
            Ok(Some(blocks.graph.zeros_around(&of, 3, 1, 0, points)))
        };
        if let Some(condition) = condition(blocks, 0)? {
            h = blocks.shifted(&h, &condition);
        }
        let shape = [1, 1 + points as usize, width as usize];
        let positions = blocks.weight("transformer.positions", &shape)?;
        h = blocks.shifted(&h, &positions);
        let (half, mut skips) = (self.depth / 2, Vec::new());
        for n in 0..half {
            h =
                self.token_block(blocks, &format!("transformer.before.{n}"), &h, [points, width])?;
            skips.push(h.clone());
        }
        h = self.token_block(blocks, "transformer.middle", &h, [points, width])?;
        if let Some(condition) = condition(blocks, 1)? {
            h = blocks.shifted(&h, &condition);
        }
        for n in 0..half {
            let skip = skips.pop().expect("as many blocks before as after");
            let both = blocks.concat(2, (&h, width), &skip);
            let name = format!("transformer.after.{n}");
            h = blocks.each(&format!("{name}.merge"), &both)?;
            h = self.token_block(blocks, &format!("{name}.block"), &h, [points, width])?;
        }
        let h = blocks.layer_norm("transformer.norm", &h)?;
        let h = blocks.slice(&h, (3, 1), 1..1 + points, 1 + points);
        let h = blocks.transpose(&h, &[0, 2, 1]);
        let value = blocks.reshape(&h, &[0, width, ny, nx], &[0, width, points]);
        Ok(Map { value, channels: width })
    }

    /// Attention and two dense layers, each behind a norm and with its input added.
    fn token_block(
        &self,
        blocks: &mut Blocks<'_>,
        name: &str,
        h: &Value,
        [points, width]: [i64; 2],
    ) -> Result<Value> {
        let normal = blocks.layer_norm(&format!("{name}.norms.0"), h)?;
        let read =
            self.attention(blocks, &format!("{name}.attention"), &normal, [points, width])?;
        let h = blocks.add(h, &read);
        let normal = blocks.layer_norm(&format!("{name}.norms.1"), &h)?;
        let hidden = blocks.each(&format!("{name}.dense.0"), &normal)?;
        let hidden = blocks.gelu(&hidden);
        let out = blocks.each(&format!("{name}.dense.1"), &hidden)?;
        Ok(blocks.add(&h, &out))
    }

    /// softmax(Q Kᵀ/√d) V of several heads, and a dense layer.
    fn attention(
        &self,
        blocks: &mut Blocks<'_>,
        name: &str,
        h: &Value,
        [points, width]: [i64; 2],
    ) -> Result<Value> {
        blocks.graph.part(name);
        let (tokens, each) = (1 + points, width / self.heads);
        let all = blocks.product(&format!("{name}.project"), h)?;
        let mut part = |n: i64| {
            let part = blocks.slice(&all, (3, 2), n * width..(n + 1) * width, 3 * width);
            let part = blocks.reshape(&part, &[0, tokens, self.heads, each], &[0, tokens, width]);
            blocks.transpose(&part, &[0, 2, 1, 3])
        };
        let (queries, keys, values) = (part(0), part(1), part(2));
        let keys = blocks.transpose(&keys, &[0, 1, 3, 2]);
        let alike = blocks.matmul(&queries, &keys);
        let share = blocks.graph.scalar(1.0 / (each as f64).sqrt());
        let alike = blocks.scaled(&alike, &share);
        let weights = blocks.softmax(&alike, 3);
        let read = blocks.matmul(&weights, &values);
        let read = blocks.transpose(&read, &[0, 2, 1, 3]);
        let read = blocks.reshape(&read, &[0, tokens, width], &[0, tokens, self.heads, each]);
        blocks.each(&format!("{name}.out"), &read)
    }
}

/// λ's features to what modulates the blocks.
fn embedded(blocks: &mut Blocks<'_>, lambda: &Value) -> Result<Value> {
    blocks.graph.part("embedding");
    let hidden = blocks.dense("embedding.0", lambda)?;
    let hidden = blocks.silu_of_lambda(&hidden);
    let embedding = blocks.dense("embedding.1", &hidden)?;
    Ok(blocks.silu_of_lambda(&embedding))
}
