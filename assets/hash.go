package assets

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// HashVersion names the way content hashes are made; the service is told it with the hash.
const HashVersion = 202208

// objectSeed starts an object hash.
const objectSeed = "Initialize for october 2021 AML CLI version"

// ContentHash is the hash by which the service finds a code snapshot again: lower-case hex of SHA-256 over the number of
// files, then their names and sizes, then their contents, ordered by lower-cased name.
func (t *Tree) ContentHash(ctx context.Context) (string, error) {
	c, _, err := t.hashes(ctx, true, false)
	return c, err
}

// ObjectHash is the hash that names the upload folder of an artifact: lower-case hex of SHA-256 over the names and contents
// of each folder's entries, ordered by lower-cased name, the folders' own names without their paths.
func (t *Tree) ObjectHash(ctx context.Context) (string, error) {
	_, o, err := t.hashes(ctx, false, true)
	return o, err
}

// Hashes makes both hashes. Files up to 4 MiB are read once for the two.
func (t *Tree) Hashes(ctx context.Context) (content, object string, err error) {
	return t.hashes(ctx, true, true)
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

func (t *Tree) hashes(ctx context.Context, content, object bool) (c, o string, err error) {
	r := newReadAhead(t.Files)
	run := func(plan []chunk) (string, error) {
		h := sha256.New()
		err := r.feed(ctx, h, plan)
		return hex.EncodeToString(h.Sum(nil)), err
	}
	switch {
	case content && object:
		cp, op := t.contentPlan(), t.objectPlan()
		r.uses(cp)
		r.uses(op)
		r.start(ctx, cp)
		done := make(chan error, 1)
		go func() {
			var err error
			o, err = run(op)
			done <- err
		}()
		c, err = run(cp)
		err = errors.Join(err, <-done)
	case content:
		plan := t.contentPlan()
		r.uses(plan)
		r.start(ctx, plan)
		c, err = run(plan)
	case object:
		plan := t.objectPlan()
		r.uses(plan)
		r.start(ctx, plan)
		o, err = run(plan)
	}
	r.stop()
	if err != nil {
		return "", "", fmt.Errorf("assets: hash: %w", err)
	}
	return c, o, nil
}

// copyFile feeds the file's content. A size other than the walk saw means that the file is being written.
func copyFile(ctx context.Context, h hash.Hash, f *File, buf []byte) error {
	in, err := os.Open(f.Path)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // read only
	var n int64
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		k, err := in.Read(buf)
		h.Write(buf[:k]) //nolint:errcheck // a hash takes all
		n += int64(k)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if n != f.Size {
		return changed(f, n)
	}
	return nil
}

func changed(f *File, n int64) error {
	return fmt.Errorf("%s changed while it was read: it had %d bytes, and now %d", f.Path, f.Size, n)
}
