//! Batches, well-formed or spoilt.

use mutatis::{Candidates, Context, DefaultMutate, Generate, Mutate, Result, mutators};
use netio_anycast_protocol::apply::{ApplyItem, ApplyRequest};
use serde::{Deserialize, Serialize};
use zerocopy::IntoBytes as _;

use super::choice::{Action, Flags, Lifetime, Wrong};
use super::request::{Place, is_default};

/// An item of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Mutate, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Item {
    row: Place,
    action: Action,
    #[serde(skip_serializing_if = "is_default")]
    lifetime: Lifetime,
    #[serde(skip_serializing_if = "is_default")]
    flags: Flags,
    #[serde(skip_serializing_if = "is_default")]
    reserved: Wrong,
}

/// The items of a batch: a new one has several.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Items(Vec<Item>);

/// Mutates the items of a batch.
#[derive(Default)]
pub(super) struct ItemsMutator(mutators::Vec<ItemMutator>);

/// The most items that a new batch has.
const NEW_ITEMS: usize = 8;

impl Mutate<Items> for ItemsMutator {
    fn mutate(&mut self, candidates: &mut Candidates<'_>, items: &mut Items) -> Result<()> {
        self.0.mutate(candidates, &mut items.0)
    }
}

impl Generate<Items> for ItemsMutator {
    fn generate(&mut self, context: &mut Context) -> Result<Items> {
        let count = context.rng().gen_index(NEW_ITEMS).unwrap_or_default();
        let mut item = <Item as DefaultMutate>::DefaultMutate::default();
        (0..=count).map(|_| item.generate(context)).collect::<Result<_>>().map(Items)
    }
}

impl DefaultMutate for Items {
    type DefaultMutate = ItemsMutator;
}

/// What APPLY takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Mutate, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Batch {
    #[serde(skip_serializing_if = "is_default")]
    flags: Flags,
    items: Items,
    /// What the count is too high by.
    #[serde(skip_serializing_if = "is_default")]
    miscounted: Wrong,
}

impl Batch {
    /// How many items it has.
    pub(super) const fn count(&self) -> usize {
        self.items.0.len()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let count = u32::try_from(self.count()).unwrap_or(u32::MAX).wrapping_add(self.miscounted.0);
        let item = |item: &Item| {
            let (Action(action), Lifetime(lifetime), Flags(flags)) = (item.action, item.lifetime, item.flags);
            ApplyItem { row: item.row.row(), action, lifetime, flags, reserved: item.reserved.0 }
        };
        let items: Vec<ApplyItem> = self.items.0.iter().map(item).collect();
        [ApplyRequest { flags: self.flags.0, count }.as_bytes(), items.as_bytes()].concat()
    }
}
