package assets

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/azureml-go/azureml/internal/rest"
)

// SyncOptions are the choices of Sync.
type SyncOptions struct {
	// Delete takes away what is in the datastore's folder and not here, and the folders that are empty then.
	Delete bool
	// DryRun says what would be done, and does nothing.
	DryRun bool
	// Ignore is what stays here: it is neither uploaded nor, where it is in the datastore, deleted. Defaults to the ignore file
	// in the root of the folder.
	Ignore *Ignore
	// Progress is told how far the upload is.
	Progress func(Progress)
	// Concurrency is how many files are in flight. Defaults to 192 where files are small, else 32.
	Concurrency int
}

// SyncReport is what a Sync did, or would do. Names are relative to the folder, with slashes, in their order; those of folders,
// which shares and Data Lakes have, end in one.
type SyncReport struct {
	// URL is the address of the datastore's folder, without a signature.
	URL string
	// Uploaded are the files that were missing or different, Deleted those that are gone here, Unchanged the number of the
	// others.
	Uploaded, Deleted []string
	Unchanged         int
	// Bytes is the size of what was uploaded.
	Bytes int64
	// DryRun is set when nothing was done.
	DryRun bool
}

// Sync makes a datastore's folder like a folder here: what differs by size or MD5 is uploaded, and with Delete what is gone
// is deleted. uri is azureml://datastores/NAME/paths/FOLDER or another address of a folder that Download takes. What somebody
// else changes in the meantime is not overwritten but an error; the same call again goes on from there.
func (c *DatastoreClient) Sync(ctx context.Context, dir, uri string, o *SyncOptions) (*SyncReport, error) {
	if o == nil {
		o = &SyncOptions{}
	}
	op := fmt.Sprintf("datastores: sync %q to %q", dir, uri)
	tree, err := Walk(ctx, dir, &WalkOptions{Ignore: o.Ignore})
	switch {
	case err != nil:
		return nil, rest.WithOp(op, err)
	case tree.IsFile:
		return nil, fmt.Errorf("%s: %s is a file, not a folder", op, dir)
	case len(tree.Files) == 0 && o.Delete:
		// A folder that was not mounted, or a misspelt one, must not empty the datastore.
		return nil, rest.WithOp(op, emptyFolder(tree))
	}
	ignore := o.Ignore
	if ignore == nil {
		if ignore, err = ReadIgnore(tree.Root); err != nil {
			return nil, rest.WithOp(op, err)
		}
	}
	b, top, err := c.locate(ctx, op, uri, 0)
	if err != nil {
		return nil, err
	}
	s := &syncing{box: b, tree: tree, ignore: ignore, o: o, tr: transfer{o.Concurrency, newProgress(o.Progress, c.c.Clock().Now)}}
	if s.top = strings.Trim(top, "/"); s.top != "" {
		s.top += "/"
	}
	s.report = &SyncReport{URL: b.blobURL(s.top), DryRun: o.DryRun}
	err = s.run(ctx)
	return s.report, rest.WithOp(op, err)
}

type syncing struct {
	box    *box
	tree   *Tree
	ignore *Ignore
	o      *SyncOptions
	tr     transfer
	top    string
	report *SyncReport
}

func (s *syncing) run(ctx context.Context) error {
	list, err := s.box.listing(ctx, s.top)
	if err != nil {
		return err
	}
	there := make(map[string]*remote, len(list))
	for i := range list {
		if r := &list[i]; !r.folder {
			there[strings.TrimPrefix(r.name, s.top)] = r
		}
	}
	send, err := s.compare(ctx, there)
	if err != nil {
		return err
	}
	here := make(map[string]bool, len(s.tree.Files))
	for i := range s.tree.Files {
		here[s.tree.Files[i].Name] = true
	}
	var gone []*remote
	if s.o.Delete {
		for name, r := range there {
			if !here[name] && !s.ignore.Excludes(name) {
				gone = append(gone, r)
			}
		}
		slices.SortFunc(gone, func(a, b *remote) int { return strings.Compare(a.name, b.name) })
	}
	folders := s.folders(list, gone)
	if s.o.DryRun {
		for _, j := range send {
			s.report.uploaded(j.file)
		}
		for _, r := range append(gone, folders...) {
			s.report.deleted(r, s.top)
		}
		slices.Sort(s.report.Deleted)
		return nil
	}
	// Only when all is there is anything deleted.
	if err := s.send(ctx, send); err != nil {
		return err
	}
	err = s.remove(ctx, gone, len(gone)+len(folders))
	for _, r := range folders { // each after those in it
		if err == nil {
			err = s.removeFolder(ctx, r)
		}
	}
	slices.Sort(s.report.Deleted)
	return err
}

// folders are those of the service that are empty once files are gone, the deepest first. One that is here with files in it
// has files there; ignored ones are left alone.
func (s *syncing) folders(list []remote, gone []*remote) []*remote {
	if !s.o.Delete {
		return nil
	}
	going := make(map[string]bool, len(gone))
	for _, r := range gone {
		going[r.name] = true
	}
	stays := map[string]bool{}
	keep := func(name string) {
		for dir := path.Dir(name); dir != "." && !stays[dir]; dir = path.Dir(dir) {
			stays[dir] = true
		}
	}
	for i := range s.tree.Files {
		keep(s.top + s.tree.Files[i].Name)
	}
	for i := range list {
		if r := &list[i]; !r.folder && !going[r.name] {
			keep(r.name)
		}
	}
	var out []*remote
	for i := range list {
		r := &list[i]
		name := strings.TrimSuffix(r.name, "/")
		rel, below := strings.CutPrefix(name, s.top)
		if r.folder && below && rel != "" && !stays[name] && !s.ignore.Excludes(rel) && !s.ignore.Excludes(rel+"/") {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *remote) int { return strings.Compare(b.name, a.name) })
	return out
}

func (s *syncing) removeFolder(ctx context.Context, r *remote) error {
	err := ctx.Err()
	if err == nil {
		err = s.box.remove(ctx, &remote{name: r.name, folder: true}) // its tag changes with what is in it
	}
	if status(err) == 409 { // somebody has put a file into it
		return nil
	}
	if err != nil {
		return fmt.Errorf("deleting the folder %s: %w", r.name, err)
	}
	s.report.deleted(r, s.top)
	s.tr.progress.add(1, 0)
	return nil
}

// compare gives what is to be sent. Files of the same size are read here for their MD5.
func (s *syncing) compare(ctx context.Context, there map[string]*remote) ([]sending, error) {
	s.tr.progress.begin(PhaseHash, len(s.tree.Files), s.tree.Size)
	differs := make([]bool, len(s.tree.Files))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(fewRequests)
	for i := range s.tree.Files {
		f := &s.tree.Files[i]
		r := there[f.Name]
		if differs[i] = r == nil || r.size != f.Size; differs[i] {
			s.tr.progress.add(1, f.Size)
			continue
		}
		g.Go(func() error {
			same, err := s.same(gctx, f, r)
			differs[i] = !same
			s.tr.progress.add(1, f.Size)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	s.tr.progress.end()
	var out []sending
	for i := range s.tree.Files {
		f := &s.tree.Files[i]
		if !differs[i] {
			s.report.Unchanged++
			continue
		}
		j := sending{file: f, dest: s.top + f.Name, when: condition{absent: true}}
		if r := there[f.Name]; r != nil {
			j.when = condition{etag: r.etag}
		}
		out = append(out, j)
	}
	slices.SortFunc(out, func(a, b sending) int { return strings.Compare(a.file.Name, b.file.Name) })
	return out, nil
}

func (s *syncing) same(ctx context.Context, f *File, r *remote) (bool, error) {
	sum := r.md5
	if len(sum) == 0 { // lists of file shares say less
		now, err := s.box.stat(ctx, r.name)
		if err != nil || now == nil || len(now.md5) == 0 {
			return false, err
		}
		sum = now.md5
	}
	in, err := os.Open(f.Path)
	if err != nil {
		return false, err
	}
	same, err := hasMD5(ctx, in, sum)
	return same, errors.Join(err, in.Close())
}

func (s *syncing) send(ctx context.Context, jobs []sending) error {
	if len(jobs) == 0 {
		return nil
	}
	var size int64
	for _, j := range jobs {
		size += j.file.Size
	}
	s.tr.progress.begin(PhaseUpload, len(jobs), size)
	u := &uploader{box: s.box, room: semaphore.NewWeighted(memory), progress: s.tr.progress}
	var mu sync.Mutex
	u.done = func(j *sending) {
		mu.Lock()
		defer mu.Unlock()
		s.report.uploaded(j.file)
	}
	err := u.all(ctx, jobs, s.tr.limit(len(jobs), size))
	slices.Sort(s.report.Uploaded)
	return err
}

func (r *SyncReport) deleted(x *remote, top string) {
	name := strings.TrimPrefix(x.name, top)
	if x.folder {
		name = strings.TrimSuffix(name, "/") + "/"
	}
	r.Deleted = append(r.Deleted, name)
}

func (r *SyncReport) uploaded(f *File) {
	r.Uploaded = append(r.Uploaded, f.Name)
	r.Bytes += f.Size
}

// remove deletes files; total is with the folders that are deleted after them.
func (s *syncing) remove(ctx context.Context, gone []*remote, total int) error {
	if total == 0 {
		return nil
	}
	s.tr.progress.begin(PhaseDelete, total, 0)
	var g errgroup.Group
	g.SetLimit(s.tr.limit(len(gone), 0))
	removed := make([]bool, len(gone))
	var count atomic.Int64
	for i, r := range gone {
		g.Go(func() error {
			err := ctx.Err()
			if err == nil {
				err = s.box.remove(ctx, r)
			}
			if err != nil {
				return fmt.Errorf("deleting %s: %w", r.name, err)
			}
			removed[i] = true
			count.Add(1)
			s.tr.progress.add(1, 0)
			return nil
		})
	}
	err := g.Wait()
	for i, r := range gone {
		if removed[i] {
			s.report.deleted(r, s.top)
		}
	}
	if err != nil {
		return fmt.Errorf("%w (%d of %d are deleted; the same call goes on from them)", err, count.Load(), len(gone))
	}
	return nil
}
