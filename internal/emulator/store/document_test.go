package store_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/store"
)

func TestDocument(t *testing.T) {
	d := open(t)
	var first store.Document
	require.NoError(t, d.Update(t.Context(), func(tx *sql.Tx) error {
		first = store.Document{ID: "/Subscriptions/S/jobs/A", Type: "jobs", Parent: "/Subscriptions/S", Body: []byte(`{"a":1}`)}
		created, err := store.Put(tx, &first)
		require.True(t, created)
		return err
	}))
	require.NotEmpty(t, first.ETag)
	require.WithinDuration(t, time.Now(), first.Created, time.Minute)
	require.Equal(t, first.Created, first.Modified)

	second := store.Document{ID: "/subscriptions/s/JOBS/a", Type: "jobs", Parent: "/subscriptions/s", Body: []byte(`{"a":2}`)}
	require.NoError(t, d.Update(t.Context(), func(tx *sql.Tx) error {
		created, err := store.Put(tx, &second)
		require.False(t, created)
		return err
	}))
	require.Equal(t, first.ID, second.ID, "the first spelling stays")
	require.Equal(t, first.Seq, second.Seq)
	require.Equal(t, first.Created, second.Created)
	require.NotEqual(t, first.ETag, second.ETag)

	require.NoError(t, d.View(t.Context(), func(tx *sql.Tx) error {
		got, err := store.Get(tx, "/SUBSCRIPTIONS/s/jobs/a")
		require.NoError(t, err)
		require.Equal(t, &second, got)
		_, err = store.Get(tx, "/subscriptions/s/jobs/b")
		require.ErrorIs(t, err, store.ErrNotFound)
		return nil
	}))
	require.NoError(t, d.Update(t.Context(), func(tx *sql.Tx) error {
		_, err := store.Put(tx, &store.Document{})
		require.ErrorContains(t, err, "no id")
		there, err := store.Delete(tx, "/subscriptions/s/jobs/A")
		require.NoError(t, err)
		require.True(t, there)
		there, err = store.Delete(tx, "/subscriptions/s/jobs/A")
		require.NoError(t, err)
		require.False(t, there)
		return nil
	}))
}

func TestDocumentList(t *testing.T) {
	d := open(t)
	require.NoError(t, d.Update(t.Context(), func(tx *sql.Tx) error {
		for i := range 10 {
			typ := []string{"jobs", "data"}[i%2]
			if _, err := store.Put(tx, &store.Document{ID: fmt.Sprint("/ws/", typ, "/", i), Type: typ, Parent: "/WS", Body: []byte(`{}`)}); err != nil {
				return err
			}
		}
		_, err := store.Put(tx, &store.Document{ID: "/other/jobs/1", Type: "jobs", Parent: "/other"})
		return err
	}))
	ids := func(q store.Query) (ids []string, last int64) {
		require.NoError(t, d.View(t.Context(), func(tx *sql.Tx) error {
			all, err := store.List(tx, q)
			for _, one := range all {
				ids, last = append(ids, one.ID), one.Seq
			}
			return err
		}))
		return ids, last
	}
	all, _ := ids(store.Query{})
	require.Len(t, all, 11)
	typed, _ := ids(store.Query{Type: "jobs"})
	require.Len(t, typed, 6)
	page, last := ids(store.Query{Parent: "/ws", Type: "jobs", Limit: 3})
	require.Equal(t, []string{"/ws/jobs/0", "/ws/jobs/2", "/ws/jobs/4"}, page)
	page, _ = ids(store.Query{Parent: "/ws", Type: "jobs", Limit: 3, After: last})
	require.Equal(t, []string{"/ws/jobs/6", "/ws/jobs/8"}, page)
	page, last = ids(store.Query{Parent: "/ws", Limit: 2, Descending: true})
	require.Equal(t, []string{"/ws/data/9", "/ws/jobs/8"}, page)
	page, _ = ids(store.Query{Parent: "/ws", Limit: 1, Descending: true, After: last})
	require.Equal(t, []string{"/ws/data/7"}, page)
}

func TestDocumentDeleteTree(t *testing.T) {
	d := open(t)
	require.NoError(t, d.Update(t.Context(), func(tx *sql.Tx) error {
		for _, one := range [][2]string{
			{"/ws/models/m", "/ws"}, {"/ws/models/m/versions/1", "/ws/models/m"}, {"/ws/models/m/versions/2", ""},
			{"/ws/models/mm", "/ws"}, {"/ws/models/m0", "/ws"}, {"/jobs/child", "/ws/models/M"}, {"/jobs/grandchild", "/jobs/child"},
		} {
			if _, err := store.Put(tx, &store.Document{ID: one[0], Parent: one[1]}); err != nil {
				return err
			}
		}
		_, err := store.DeleteTree(tx, "")
		require.Error(t, err)
		n, err := store.DeleteTree(tx, "/WS/models/m")
		require.Equal(t, 5, n)
		require.NoError(t, err)
		left, err := store.List(tx, store.Query{})
		require.Len(t, left, 2)
		return err
	}))
}

func TestMigrate(t *testing.T) {
	d := open(t)
	one, two := `CREATE TABLE a (v); CREATE TABLE b (v)`, `INSERT INTO a VALUES (1); INSERT INTO b SELECT v FROM a`
	require.NoError(t, d.Migrate("x", one))
	require.NoError(t, d.Migrate("x", one, two))
	require.NoError(t, d.Migrate("x", one, two))
	require.NoError(t, d.View(t.Context(), func(tx *sql.Tx) error {
		var n int
		require.NoError(t, tx.QueryRow(`SELECT count(*) FROM b`).Scan(&n))
		require.Equal(t, 1, n)
		return nil
	}))
	require.ErrorContains(t, d.Migrate("x", one), "newer version")
	require.ErrorContains(t, d.Migrate("y", `CREATE TABLE z (v)`, `not SQL`), `migrate "y": step 2`)
	require.NoError(t, d.Migrate("y", `CREATE TABLE z (v)`), "a failed migration leaves nothing")
}

func TestPart(t *testing.T) {
	d := open(t)
	require.NoError(t, d.Update(t.Context(), func(tx *sql.Tx) error {
		_, err := store.Put(tx, &store.Document{ID: "/A/b", Type: "t", Parent: "/A", Body: []byte(`{"p":{"q":{"a.b":"é\"","n":1},"z":null,"s":"x"}}`)})
		return err
	}))
	require.NoError(t, d.View(t.Context(), func(tx *sql.Tx) error {
		for path, want := range map[string]string{"$.p.q": `{"a.b":"é\"","n":1}`, "$.p.z": "null", "$.p.s": `"x"`, "$.p.none": "", "$.none.q": ""} {
			got, err := store.Part(tx, "/a/B", path)
			require.NoError(t, err, path)
			require.Equal(t, want, string(got), path)
		}
		_, err := store.Part(tx, "/c", "$.p")
		require.ErrorIs(t, err, store.ErrNotFound)
		return nil
	}))
}
