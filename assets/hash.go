package assets

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// HashVersion names the way content hashes are made; the service is told it with the hash.
const HashVersion = 202208

// objectSeed starts an object hash.
const objectSeed = "Initialize for october 2021 AML CLI version"

// ContentHash is the hash by which the service finds a code snapshot again: lower-case hex of SHA-256 over the number of
// files, then their names and sizes, then their contents, ordered by lower-cased name. Files that changed since the walk are
// looked at again; one that goes on changing is a *ChangedError.
func (t *Tree) ContentHash(ctx context.Context) (string, error) {
	h, err := t.hashes(ctx, nil, nil, kindContent)
	return h[0], err
}

// ObjectHash is the hash that names the upload folder of an artifact: lower-case hex of SHA-256 over the names and contents
// of each folder's entries, ordered by lower-cased name, the folders' own names without their paths. Files that changed
// since the walk are looked at again, as by ContentHash.
func (t *Tree) ObjectHash(ctx context.Context) (string, error) {
	h, err := t.hashes(ctx, nil, nil, kindObject)
	return h[0], err
}

// Hashes makes both hashes. Each file is read once for the two, where their orders allow it in bounded memory.
func (t *Tree) Hashes(ctx context.Context) (content, object string, err error) {
	h, err := t.hashes(ctx, nil, nil, kindContent, kindObject)
	return h[0], h[1], err
}

// A hashKind is one of the two hashes.
type hashKind string

const (
	kindContent hashKind = "content"
	kindObject  hashKind = "object"
)

func (k hashKind) plan(t *Tree) []chunk {
	if k == kindContent {
		return t.contentPlan()
	}
	return t.objectPlan()
}

// A chunk is one piece of a digest's input: text, or the content of the file at index file when that is not negative.
type chunk struct {
	text string
	file int
}

// contentPlan lists what goes into the content hash.
func (t *Tree) contentPlan() []chunk {
	order := make([]int, len(t.Files))
	keys := make([]string, len(t.Files))
	for i := range t.Files {
		order[i], keys[i] = i, pythonLower(t.Files[i].Name)
	}
	slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(keys[a], keys[b]) })
	plan := make([]chunk, 0, 1+len(order))
	var head strings.Builder
	head.WriteString(strconv.Itoa(len(order)))
	for _, i := range order {
		f := &t.Files[i]
		head.WriteString("#" + f.Name + "#" + strconv.FormatInt(f.Size, 10))
	}
	plan = append(plan, chunk{text: head.String(), file: -1})
	for _, i := range order {
		plan = append(plan, chunk{file: i})
	}
	return plan
}

// objectPlan lists what goes into the object hash.
func (t *Tree) objectPlan() []chunk {
	plan := []chunk{{text: objectSeed, file: -1}}
	if t.root == nil {
		return append(plan, chunk{file: 0})
	}
	var add func(d *folder)
	add = func(d *folder) {
		entries := make([]*entry, len(d.entries))
		for i := range d.entries {
			entries[i] = &d.entries[i]
		}
		slices.SortStableFunc(entries, func(a, b *entry) int { return strings.Compare(a.lower, b.lower) })
		for _, e := range entries {
			if !e.hashed {
				continue
			}
			plan = append(plan, chunk{text: e.name, file: -1})
			if e.dir != nil {
				add(e.dir)
			} else {
				plan = append(plan, chunk{file: e.file})
			}
		}
	}
	add(t.root)
	return plan
}

// hashes makes hashes of one or two kinds, with what a cache remembers. Progress is told of it, where it is not nil.
func (t *Tree) hashes(ctx context.Context, cache *hashCache, p *progress, kinds ...hashKind) ([]string, error) {
	for try := 1; ; try++ {
		p.begin(PhaseHash, len(t.Files), t.Size)
		out, err := t.digest(ctx, cache, p, kinds)
		if err == nil {
			p.end()
			return out, nil
		}
		if try == changedTries || !vanished(err) || t.again(ctx) != nil {
			return make([]string, len(kinds)), fmt.Errorf("assets: hash: %w", err)
		}
	}
}

// largePlan lists the files that are uploaded in blocks: the MD5 that their blobs carry is made when they are read here, on
// another core, since the upload could not go faster than one.
func (t *Tree) largePlan(plan []chunk) []chunk {
	var large []chunk
	for _, c := range plan {
		if c.file >= 0 && t.Files[c.file].Size > pieceSize && t.Files[c.file].md5 == nil {
			large = append(large, c)
		}
	}
	return large
}

// A digestion is one digest on its way.
type digestion struct {
	plan   []chunk
	from   int // where it goes on
	h      hash.Hash
	known  string // all of it is remembered
	points []point
}

func (t *Tree) digest(ctx context.Context, cache *hashCache, p *progress, kinds []hashKind) ([]string, error) {
	began := time.Now()
	out := make([]string, len(kinds))
	var work []*digestion
	var plans [][]chunk
	var which []int
	for i, k := range kinds {
		d := &digestion{plan: k.plan(t), h: sha256.New()}
		if cache.wants(t) {
			cache.recall(t, k, d)
		}
		if d.known != "" {
			out[i] = d.known
			continue
		}
		work, plans, which = append(work, d), append(plans, d.plan[d.from:]), append(which, i)
	}
	if len(work) == 0 {
		return out, ctx.Err()
	}
	large := t.largePlan(plans[0])
	if len(large) > 0 {
		plans = append(plans, large)
	}
	r := newReadAhead(t.Files, plans...)
	r.progress = p
	g, ctx := errgroup.WithContext(ctx) // none waits for another that has failed
	r.start(ctx)
	if len(large) > 0 {
		g.Go(func() error {
			h := md5.New()
			return r.feed(ctx, h, large, false, func(i int) {
				t.Files[large[i].file].md5 = h.Sum(nil)
				h.Reset()
			})
		})
	}
	for n, d := range work {
		g.Go(func() error {
			var after func(int)
			if cache.wants(t) {
				after = d.mark(t)
			}
			err := r.feed(ctx, d.h, d.plan[d.from:], n == 0, after)
			out[which[n]] = hex.EncodeToString(d.h.Sum(nil))
			return err
		})
	}
	err := g.Wait()
	r.stop()
	if err != nil {
		return nil, err
	}
	if cache.wants(t) {
		for n, d := range work {
			cache.save(t, kinds[which[n]], d, out[which[n]], began)
		}
	}
	return out, nil
}
