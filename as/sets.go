package as

import "slices"

func contains[T comparable](set []T, x T) bool { return slices.Contains(set, x) }

// union returns a, then what b adds, each element once.
func union[T comparable](a, b []T) []T {
	out := make([]T, 0, len(a)+len(b))
	for _, set := range [2][]T{a, b} {
		for _, x := range set {
			if !contains(out, x) {
				out = append(out, x)
			}
		}
	}
	return out
}

// intersect returns the elements of a that b has, in a's order.
func intersect[T comparable](a, b []T) []T {
	out := make([]T, 0, len(a))
	for _, x := range a {
		if contains(b, x) {
			out = append(out, x)
		}
	}
	return out
}

// without returns the elements of a that b does not have.
func without[T comparable](a, b []T) []T {
	var out []T
	for _, x := range a {
		if !contains(b, x) {
			out = append(out, x)
		}
	}
	return out
}
