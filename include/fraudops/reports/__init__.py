"""Reports: self-contained pages that people archive, print and pass on."""
