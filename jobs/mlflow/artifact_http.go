package mlflow

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// putFile sends a part of a file, read anew for each attempt. Nothing bounds its time but ctx.
func (c *Client) putFile(ctx context.Context, op, address string, signed bool, header http.Header, u upload, from, size int64) error {
	_, err := c.retry(ctx, op, retryRules{}, func(ctx context.Context) ([]byte, error) {
		f, err := u.open()
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if from > 0 {
			if _, err := f.Seek(from, io.SeekStart); err != nil {
				return nil, err
			}
		}
		part := &countReader{r: io.LimitReader(f, size)}
		resp, err := c.send(ctx, op, http.MethodPut, address, signed, header, func() (io.Reader, int64) {
			if size == 0 {
				return http.NoBody, 0
			}
			return part, size
		})
		if err != nil {
			if part.err != nil {
				return nil, part.err // the file, not the network
			}
			return nil, err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
		if resp.StatusCode/100 != 2 {
			resp.Body = io.NopCloser(bytes.NewReader(body))
			return nil, blobError(op, resp, body)
		}
		if err != nil {
			return nil, &sentError{err}
		}
		return nil, nil
	})
	return err
}

// countReader keeps the error of a file that is read while it is sent.
type countReader struct {
	r   io.Reader
	err error
}

func (c *countReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

// getFile opens a stream; broken off in the middle it goes on where it was.
func (c *Client) getFile(ctx context.Context, op, address string, signed bool, header http.Header) (io.ReadCloser, error) {
	s := &stream{c: c, ctx: ctx, op: op, address: address, signed: signed, header: header}
	if err := s.connect(); err != nil {
		return nil, err
	}
	return s, nil
}

type stream struct {
	c           *Client
	ctx         context.Context
	op, address string
	signed      bool
	header      http.Header
	body        io.ReadCloser
	at          int64
	size        int64 // -1 when the server does not say
	etag        string
	broken      int
}

// connect asks for what is still missing.
func (s *stream) connect() error {
	_, err := s.c.retry(s.ctx, s.op, retryRules{}, func(ctx context.Context) ([]byte, error) {
		header := s.header.Clone()
		if header == nil {
			header = http.Header{}
		}
		header.Set("Accept-Encoding", "identity")
		if s.at > 0 {
			header.Set("Range", fmt.Sprintf("bytes=%d-", s.at))
			if s.etag != "" {
				header.Set("If-Match", s.etag)
			}
		}
		resp, err := s.c.send(s.ctx, s.op, http.MethodGet, s.address, s.signed, header, nil)
		if err != nil {
			return nil, err
		}
		switch {
		case resp.StatusCode == http.StatusOK && s.at > 0:
			// No ranges here: read over what is known.
			if _, err := io.CopyN(io.Discard, resp.Body, s.at); err != nil {
				resp.Body.Close()
				return nil, &sentError{err}
			}
		case resp.StatusCode == http.StatusOK:
			s.size, s.etag = resp.ContentLength, resp.Header.Get("ETag")
			if strings.HasPrefix(s.etag, "W/") {
				s.etag = ""
			}
		case resp.StatusCode == http.StatusPartialContent && s.at > 0:
		default:
			defer resp.Body.Close()
			body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
			if err != nil && len(body) == 0 {
				return nil, &sentError{err}
			}
			resp.Body = io.NopCloser(bytes.NewReader(body))
			return nil, blobError(s.op, resp, body)
		}
		s.body = resp.Body
		return nil, nil
	})
	return err
}

func (s *stream) Read(b []byte) (int, error) {
	for {
		n, err := s.body.Read(b)
		s.at += int64(n)
		short := err == io.EOF && s.size >= 0 && s.at < s.size
		if err == nil || err == io.EOF && !short || s.ctx.Err() != nil {
			if err != nil && err != io.EOF {
				err = context.Cause(s.ctx)
			}
			return n, err
		}
		if n > 0 {
			return n, nil // the fault comes back with the next read
		}
		if s.broken++; s.broken > s.c.retries.Max {
			return 0, fmt.Errorf("the download broke off at byte %d: %w", s.at, stripURL(err))
		}
		s.body.Close()
		if err := s.c.clock.Sleep(s.ctx, s.c.backoff(s.broken)); err != nil {
			return 0, err
		}
		if err := s.connect(); err != nil {
			s.body = http.NoBody
			return 0, err
		}
	}
}

func (s *stream) Close() error { return s.body.Close() }

// blobError reads the XML of storage besides MLflow's JSON.
func blobError(op string, resp *http.Response, body []byte) *Error {
	e := newError(op, resp, body)
	var x struct {
		Code    string `xml:"Code"`
		Message string `xml:"Message"`
	}
	if bytes.HasPrefix(bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))), []byte("<?xml")) && xml.Unmarshal(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), &x) == nil && x.Code != "" {
		e.Code, e.Message = x.Code, x.Message
	}
	if code := resp.Header.Get("x-ms-error-code"); code != "" {
		e.Code = code
	}
	return e
}

const (
	// singlePut is the largest file that goes in one request, as azureml-mlflow has it; larger ones go in
	// blocks.
	singlePut = 64 << 20
	blockSize = 32 << 20
	// storageVersion is the x-ms-version of the requests: the first with 5000 MB puts and 4000 MB blocks.
	storageVersion = "2019-12-12"
)

// putBlob stores a file as a block blob by a signed URL. The signature authorises: no token goes along,
// for the host is none of the client's.
func (c *Client) putBlob(ctx context.Context, sas string, u upload) error {
	if u.size <= singlePut {
		header := http.Header{"X-Ms-Blob-Type": {"BlockBlob"}, "X-Ms-Version": {storageVersion}, "Content-Type": {contentType(u.path)}}
		return c.putFile(ctx, "put blob", sas, signed, header, u, 0, u.size)
	}
	address, err := url.Parse(sas)
	if err != nil {
		return stripURL(err)
	}
	size := int64(blockSize)
	for (u.size+size-1)/size > 50_000 { // the most blocks of a blob
		size *= 2
	}
	list := &blockList{}
	for from := int64(0); from < u.size; from += size {
		id := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "block-%010d", from/size))
		list.Latest = append(list.Latest, id)
		header := http.Header{"X-Ms-Version": {storageVersion}, "Content-Type": {"application/octet-stream"}}
		if err := c.putFile(ctx, "put block", withQuery(address, "comp", "block", "blockid", id), signed, header, u, from, min(size, u.size-from)); err != nil {
			return err
		}
	}
	body, err := xml.Marshal(list)
	if err != nil {
		return err
	}
	header := http.Header{"X-Ms-Version": {storageVersion}, "Content-Type": {"application/xml"}, "X-Ms-Blob-Content-Type": {contentType(u.path)}}
	commit := upload{path: u.path, size: int64(len(body)), open: func() (io.ReadSeekCloser, error) { return nopCloser{bytes.NewReader(body)}, nil }}
	return c.putFile(ctx, "put block list", withQuery(address, "comp", "blocklist"), signed, header, commit, 0, commit.size)
}

type blockList struct {
	XMLName struct{} `xml:"BlockList"`
	Latest  []string `xml:"Latest"`
}

// withQuery adds parameters without touching the encoding of the signature.
func withQuery(u *url.URL, pairs ...string) string {
	v := *u
	for i := 0; i < len(pairs); i += 2 {
		if v.RawQuery != "" {
			v.RawQuery += "&"
		}
		v.RawQuery += pairs[i] + "=" + url.QueryEscape(pairs[i+1])
	}
	return v.String()
}
