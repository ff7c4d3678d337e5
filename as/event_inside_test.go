package as

import (
	"encoding/hex"
	"testing"
	"time"
)

// A history is verified by whichever version reads it: the hash of an event stays what
// it was.
func TestTheHashOfAnEventStaysWhatItWas(t *testing.T) {
	e := Event{
		Space: "s", Seq: 3, At: time.UnixMilli(12345), Kind: "k", Actor: "actor", Subject: "sub", Detail: `{"a":1}`, Prev: []byte{1, 2, 3},
	}
	if got, want := hex.EncodeToString(e.sum()), "22735ec42838f524d2d3223cc06c14bcd68e912103a1f71dfb9dece974115d64"; got != want {
		t.Errorf("the hash is %s, want %s", got, want)
	}
}
