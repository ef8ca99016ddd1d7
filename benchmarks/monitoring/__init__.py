"""What monitoring says in simulated worlds: in quiet ones nothing, in one with a new kind of fraud that."""
