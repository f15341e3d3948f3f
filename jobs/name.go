package jobs

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// The generated part of a job's name: no vowels, so that it spells nothing.
const nameAlphabet = "bcdfghjklmnpqrstvwxyz0123456789"

const nameSuffixLength = 10

var nameAdjectives = strings.Fields(`able agile alert amber ample ancient apt azure balmy bold brave breezy bright
	brisk calm candid chilly civil clean clear clever cosy crisp curious dapper daring deft eager early easy elder
	fair famous fine firm fleet fond frank fresh gentle glad golden grand green happy hardy hazel honest humble
	ideal jolly keen kind level light lively lucid lucky mellow merry mild misty modest neat noble polite proud
	quick quiet rapid ready rosy royal silent silver smooth snowy sober solid sound spry steady stout sunny swift
	tidy tranquil true upbeat vivid warm wise witty young zesty`)

var nameNouns = strings.Fields(`acorn alder anchor apple arrow aspen badger basil bay beacon beech birch bison
	breeze bridge brook canal canyon cedar cherry cliff cloud clover comet coral cove crane creek delta dune eagle
	ember falcon fern field finch fjord forest fox garden glacier grove harbor hawk hazel heron hill island ivy
	jasmine juniper kestrel kite lagoon lake lantern larch lark laurel lemon lily linden lynx maple marsh meadow
	mesa mill moss oak oasis olive orchard otter owl pebble pepper pine plum pond poplar quartz rain raven reef
	ridge river robin rowan sail sparrow spring spruce stone stream summit thistle thrush tide trail valley violet
	walnut wave willow wren yew`)

// generateName gives a fresh job name in the form that Azure ML's own clients use: adjective_noun_10.
func generateName() string {
	var b [nameSuffixLength + 4]byte
	rand.Read(b[:]) // it never fails: crypto/rand ends the program instead
	pick := func(words []string, hi, lo byte) string { return words[(int(hi)<<8|int(lo))%len(words)] }
	suffix := make([]byte, nameSuffixLength)
	for i := range suffix {
		suffix[i] = nameAlphabet[int(b[i])%len(nameAlphabet)]
	}
	return pick(nameAdjectives, b[10], b[11]) + "_" + pick(nameNouns, b[12], b[13]) + "_" + string(suffix)
}

// A job's name is a segment of its ARM id and a run id: letters, digits, '-', '_', 255 at most.
var jobName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}$`)

// The service's words: 1-256 characters, start with a letter or a number, and can only contain letters, numbers,
// underscores, and dashes. Microsoft's own samples have blanks in it and run, so those are the service's to judge.
var experimentName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_ -]{0,255}$`)

var notExperiment = regexp.MustCompile(`[^a-zA-Z0-9_-]`)

// defaultExperiment is the experiment of a job that names none: the folder's name up to its last dot
// without blanks, as the reference SDK has it, or "Default". What the service does not take in a name is a hyphen;
// the reference SDK sends it, and is refused.
func defaultExperiment(dir string) string {
	if dir == "" {
		dir = "."
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "Default" // the working directory is gone
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real
	}
	base := filepath.Base(abs)
	if base == string(os.PathSeparator) || base == "." || filepath.VolumeName(abs) == base {
		return "Default"
	}
	// Python's Path.stem: a leading dot does not start a suffix, nor does a trailing one.
	if i := strings.LastIndexByte(base, '.'); i > 0 && i < len(base)-1 {
		base = base[:i]
	}
	base = notExperiment.ReplaceAllString(strings.ReplaceAll(base, " ", ""), "-")
	if base = strings.TrimLeft(base, "-_"); base == "" {
		return "Default"
	}
	return base[:min(len(base), 256)]
}
