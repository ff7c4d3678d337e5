package demo

import (
	"encoding/base64"
	"math"
	"strconv"
)

// number writes a number as short as it can be.
func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// round leaves one digit after the point.
func round(v float64) float64 { return math.Round(v*10) / 10 }

// base64Of writes a text so that a cookie can carry it.
func base64Of(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// ofBase64 reads it again; "" for what it is not.
func ofBase64(text string) string {
	out, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return ""
	}
	return string(out)
}
