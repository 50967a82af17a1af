//! The border: pointers of C become references here, and nowhere else.
//!
//! Each is refused by a code where it is null or does not lie at a multiple of its type's
//! alignment. What cannot be seen from here is the caller's promise, which the header asks for: that
//! so many values lie there, that nobody else writes them, and that they live as long as it says.
//! The types of this file are parameters of functions that C calls, and have no constructor, so that
//! only C makes them: with them comes the promise.
#![allow(unsafe_code)]

use core::mem::MaybeUninit;
use core::ops::Range;
use core::slice;

use crate::code::FinescaleCode;
use crate::types::{FinescaleInstrument, FinescaleSettings};

/// A pointer to values that are read.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct Input<T>(*const T);

/// A pointer to values that are written.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct Output<T>(*mut T);

/// A pointer to a handle, in which something of Rust lies once it has begun.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct Handle<T>(*mut T);

/// Types of which every pattern of bits is a value.
///
/// # Safety
/// The type must be such a type.
pub unsafe trait Plain: Copy + 'static {}
// SAFETY: numbers.
unsafe impl Plain for f32 {}
// SAFETY: numbers.
unsafe impl Plain for u8 {}
// SAFETY: numbers and pointers.
unsafe impl Plain for FinescaleInstrument {}
// SAFETY: numbers.
unsafe impl Plain for FinescaleSettings {}

/// What a handle is for.
pub trait Opaque {
    /// What lies in it.
    type Value: 'static;
    /// The mark of a handle that has begun: a number that memory has by no accident.
    const MARK: u64;
}

/// How it lies there: the mark first, which is as strictly aligned as anything behind it.
#[repr(C)]
struct Slot<V> {
    mark: u64,
    value: MaybeUninit<V>,
}

impl<T> Input<T> {
    /// Nothing.
    pub(crate) const NULL: Self = Self(core::ptr::null());

    /// Whether there is anything.
    pub(crate) fn is_null(&self) -> bool {
        self.0.is_null()
    }
}

impl<T: Plain> Input<T> {
    /// One value.
    pub(crate) fn read(self) -> Result<T, FinescaleCode> {
        checked(self.0)?;
        // SAFETY: not null and aligned; the caller promises that a value lies there, and it may
        // have any bits.
        Ok(unsafe { self.0.read() })
    }

    /// So many values; none where the length is 0, whatever the pointer.
    pub(crate) fn values(self, len: usize) -> Result<&'static [T], FinescaleCode> {
        if len == 0 {
            return Ok(&[]);
        }
        checked(self.0)?;
        fits::<T>(len)?;
        // SAFETY: not null, aligned, and no longer than memory can be; the caller promises that so
        // many values lie there, that they live as long as they are used, and that nobody writes
        // them in this time. They may have any bits.
        Ok(unsafe { slice::from_raw_parts(self.0, len) })
    }
}

impl Input<f32> {
    /// So many values, or nothing where the pointer is null.
    pub(crate) fn present(self, len: usize) -> Result<Option<&'static [f32]>, FinescaleCode> {
        if self.is_null() { Ok(None) } else { self.values(len).map(Some) }
    }
}

impl<T> Output<T> {
    /// Where one value may be written.
    pub(crate) fn open(self) -> Result<&'static mut MaybeUninit<T>, FinescaleCode> {
        checked(self.0)?;
        // SAFETY: not null and aligned; the caller promises that a value may be written there.
        Ok(unsafe { &mut *self.0.cast::<MaybeUninit<T>>() })
    }
}

impl Output<f32> {
    /// So many values of memory, for as long as what it is given to is used.
    pub(crate) fn memory(self, len: usize) -> Result<&'static mut [f32], FinescaleCode> {
        checked(self.0)?;
        fits::<f32>(len)?;
        // SAFETY: as for `Input::values`; the caller promises also that nobody else reads or writes
        // them.
        Ok(unsafe { slice::from_raw_parts_mut(self.0, len) })
    }
}

impl<T: Opaque> Handle<T> {
    const FITS: () = assert!(
        size_of::<Slot<T::Value>>() <= size_of::<T>()
            && align_of::<Slot<T::Value>>() <= align_of::<T>(),
        "the handle's number of words is too small: raise it"
    );

    /// Puts a value into a handle, over whatever was there, which is gone if there is no value.
    pub(crate) fn begin(
        self,
        value: impl FnOnce() -> Result<T::Value, FinescaleCode>,
    ) -> Result<(), FinescaleCode> {
        const { Self::FITS };
        checked(self.0)?;
        let slot = self.0.cast::<Slot<T::Value>>();
        let nothing = Slot { mark: 0, value: MaybeUninit::uninit() };
        // SAFETY: not null, aligned, and large enough, as the assertion says; the caller promises
        // that a handle lies there. What was in it needs no end.
        unsafe { slot.write(nothing) };
        let begun = Slot { mark: T::MARK, value: MaybeUninit::new(value()?) };
        // SAFETY: the same.
        unsafe { slot.write(begun) };
        Ok(())
    }

    /// What is in a handle that has begun.
    pub(crate) fn value(self) -> Result<&'static mut T::Value, FinescaleCode> {
        const { Self::FITS };
        checked(self.0)?;
        // SAFETY: as for `begin`; the caller promises that nobody else uses the handle meanwhile.
        // Memory that came from C has some bits, and every mark may have any.
        let slot = unsafe { &mut *self.0.cast::<Slot<T::Value>>() };
        if slot.mark != T::MARK {
            return Err(FinescaleCode::NotBegun);
        }
        // SAFETY: only `begin` writes the mark, together with a value.
        Ok(unsafe { slot.value.assume_init_mut() })
    }
}

/// Refuses what cannot be pointed to.
fn checked<T>(pointer: *const T) -> Result<(), FinescaleCode> {
    if pointer.is_null() {
        Err(FinescaleCode::Null)
    } else if !pointer.is_aligned() {
        Err(FinescaleCode::Misaligned)
    } else {
        Ok(())
    }
}

/// Refuses more values than memory can hold.
fn fits<T>(len: usize) -> Result<(), FinescaleCode> {
    match len.checked_mul(size_of::<T>()) {
        Some(bytes) if isize::try_from(bytes).is_ok() => Ok(()),
        _ => Err(FinescaleCode::Length),
    }
}

/// Where values lie.
pub(crate) fn place(values: &[f32]) -> Range<usize> {
    let Range { start, end } = values.as_ptr_range();
    start.addr()..end.addr()
}
