//! Nothing is built here: the package is its tests.
