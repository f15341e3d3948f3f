package endpoints

import (
	"maps"
	"slices"
	"strings"
)

// Traffic is the percentage of requests that each deployment gets, by its name. All of them make 100, or 0 while nobody
// is served.
type Traffic map[string]int

// check finds what the service would refuse. most is what all may make: 100, or 50 for copies.
func (t Traffic) check(prefix string, most int, fault func(field, format string, a ...any)) {
	sum := 0
	for _, name := range slices.Sorted(maps.Keys(t)) {
		p := t[name]
		if p < 0 || p > 100 {
			fault(prefix+name, "is %d; a percentage is between 0 and 100", p)
		}
		if !letters.MatchString(name) {
			fault(prefix+name, "%q is no name of a deployment", name)
		}
		sum += p
	}
	switch field := strings.TrimSuffix(prefix, "."); {
	case most == 100 && sum != 0 && sum != 100:
		fault(field, "makes %d in all; 100 is wanted, or 0 for none", sum)
	case most < 100 && sum > most:
		fault(field, "makes %d in all; at most %d is allowed", sum, most)
	}
}

// sent is what the service is sent: names in lower case, without those that get nothing.
func (t Traffic) sent() Traffic {
	out := Traffic{}
	for name, p := range t {
		if p != 0 {
			out[strings.ToLower(name)] += p
		}
	}
	return out
}
