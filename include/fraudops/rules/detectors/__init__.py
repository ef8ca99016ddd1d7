"""One module per rule, named by its id: ``NEEDS``, and ``detect(inputs, numbers)``, which yields hits."""
