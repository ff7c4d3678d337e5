package egress

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
)

// No test leaves a goroutine behind, however its answer was cut.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// canary counts the connections that it sees.
type canary struct {
	net.Listener
	port string
	seen atomic.Int64
}

func listen(t *testing.T, address string) *canary {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	c := &canary{Listener: l, port: strconv.Itoa(l.Addr().(*net.TCPAddr).Port)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.seen.Add(1)
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return c
}

// names is a resolver that answers every name with the next of its addresses,
// and stays at the last.
func names(t *testing.T, addresses ...string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		question := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(question)
			if err != nil {
				return
			}
			ip := netip.MustParseAddr(addresses[0])
			answer, asked := dnsAnswer(question[:n], ip)
			if _, err := conn.WriteTo(answer, from); err != nil {
				return
			}
			if asked && len(addresses) > 1 {
				addresses = addresses[1:]
			}
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// dnsAnswer answers a question of one name (RFC 1035 4.1), with no record when
// it is for the other family.
func dnsAnswer(question []byte, ip netip.Addr) (answer []byte, asked bool) {
	end := 12
	for question[end] != 0 {
		end += int(question[end]) + 1
	}
	kind := binary.BigEndian.Uint16(question[end+1:])
	want := uint16(1) // A
	if ip.Is6() {
		want = 28 // AAAA
	}
	answer = append(answer, question[:2]...)
	answer = append(answer, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0)
	answer = append(answer, question[12:end+5]...)
	if kind != want {
		return answer, false
	}
	answer[7] = 1
	answer = append(answer, 0xc0, 12)
	answer = binary.BigEndian.AppendUint16(answer, kind)
	answer = append(answer, 0, 1, 0, 0, 0, 0)
	answer = binary.BigEndian.AppendUint16(answer, uint16(ip.BitLen()/8))
	return append(answer, ip.AsSlice()...), true
}
