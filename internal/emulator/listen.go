package emulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Listen opens the port and gives the base URL, "http://127.0.0.1:1234". addr is an address and a port, of which 0 means any; empty is "127.0.0.1:0".
// A server has one listener: a second Listen gives the first one's URL. Without tokens, only loopback addresses are listened on.
func (s *Server) Listen(addr string) (string, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return "", ErrClosed
	}
	if s.listener != nil {
		return s.urlLocked(), nil
	}
	l, err := new(net.ListenConfig).Listen(s.ctx, "tcp", addr)
	if err != nil {
		return "", fmt.Errorf("emulator: listen on %s: %w", addr, err)
	}
	at, err := netip.ParseAddrPort(l.Addr().String())
	if err != nil {
		return "", errors.Join(err, l.Close())
	}
	if s.opts.NoAuth && !at.Addr().Unmap().IsLoopback() {
		return "", errors.Join(fmt.Errorf("emulator: listen on %s: without tokens only a loopback address may be listened on", addr), l.Close())
	}
	s.listener = l
	s.http = &http.Server{
		Handler: s.handler, ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return s.ctx },
	}
	srv := s.http
	s.calls.Add(1)
	go func() {
		defer s.calls.Done()
		if err := srv.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			s.opts.Logger.Error("the listener ended", "error", err)
		}
	}()
	return s.urlLocked(), nil
}

// urlLocked is the listener's address; an unspecified one is said as loopback.
func (s *Server) urlLocked() string {
	at, err := netip.ParseAddrPort(s.listener.Addr().String())
	if err != nil {
		return "http://" + s.listener.Addr().String()
	}
	if a := at.Addr().Unmap(); a.IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d", at.Port())
	}
	return "http://" + netip.AddrPortFrom(at.Addr().Unmap(), at.Port()).String()
}

// BaseURL is Listen on any loopback port, unless the server listens already.
func (s *Server) BaseURL() (string, error) { return s.Listen(s.addr) }

// URL is the listener's base URL, empty when there is none.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return ""
	}
	return s.urlLocked()
}

// listens says whether host:port is the listener's.
func (s *Server) listens(host string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return false
	}
	at, err := netip.ParseAddrPort(s.listener.Addr().String())
	if err != nil {
		return false
	}
	a := at.Addr().Unmap()
	if a.IsUnspecified() {
		a = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return ownHost(host, netip.AddrPortFrom(a, at.Port()))
}
