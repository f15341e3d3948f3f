package tracking

import (
	"math/rand/v2"
	"strconv"
)

var (
	adjectives = []string{"able", "amused", "bold", "brave", "bright", "calm", "capable", "clever", "curious", "dapper", "eager", "fair", "fearless", "gentle", "glad", "grand",
		"handsome", "honest", "jolly", "keen", "kind", "lively", "lucky", "mellow", "merry", "modest", "nimble", "noble", "patient", "placid", "polite", "proud", "quick", "quiet",
		"rare", "serene", "shy", "silent", "sincere", "smooth", "spry", "steady", "sturdy", "swift", "tidy", "trusting", "valiant", "vivid", "warm", "wise", "witty", "zealous"}
	animals = []string{"ant", "auk", "bat", "bear", "bee", "bird", "boar", "carp", "cat", "chimp", "cod", "colt", "crab", "crane", "deer", "dog", "dove", "duck", "eel", "elk",
		"fawn", "finch", "fish", "fly", "fox", "frog", "gnu", "goat", "goose", "grouse", "gull", "hare", "hawk", "hen", "hog", "horse", "jay", "kite", "koi", "lamb", "lark",
		"lynx", "mare", "mink", "mole", "moose", "moth", "mouse", "mule", "newt", "owl", "ox", "panda", "perch", "pig", "pug", "quail", "ram", "rat", "ray", "roo", "seal",
		"shad", "shark", "sheep", "shrew", "skunk", "snail", "snake", "sow", "squid", "stag", "stork", "swan", "toad", "trout", "vole", "wasp", "whale", "wolf", "wren", "yak"}
)

// generatedName is the name of a run that was given none: adjective-animal-number.
func generatedName() string {
	return adjectives[rand.IntN(len(adjectives))] + "-" + animals[rand.IntN(len(animals))] + "-" + strconv.Itoa(rand.IntN(1000))
}
