// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// certificates makes a certificate authority for the life of this process, and its only
// certificate, for loopback and the address of the listener. The authority's key is not kept, so
// nobody can misuse a forgotten CA file to impersonate anything else.
func certificates(now time.Time, addr net.Addr) (caPEM []byte, leaf tls.Certificate, err error) {
	ca := unsigned("aad-emulator CA", now)
	ca.IsCA = true
	ca.KeyUsage = x509.KeyUsageCertSign
	caKey, caDER, err := issue(ca, ca, nil)
	if err != nil {
		return nil, tls.Certificate{}, err
	}
	server := unsigned("aad-emulator", now)
	server.KeyUsage = x509.KeyUsageDigitalSignature
	server.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	server.DNSNames = []string{"localhost"}
	server.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	if tcp, ok := addr.(*net.TCPAddr); ok && !tcp.IP.IsUnspecified() {
		server.IPAddresses = append(server.IPAddresses, tcp.IP)
	}
	key, der, err := issue(server, ca, caKey)
	if err != nil {
		return nil, tls.Certificate{}, err
	}
	caPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER})
	return caPEM, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

func unsigned(name string, now time.Time) *x509.Certificate {
	serial := new(big.Int).SetBytes([]byte(rand.Text()))
	return &x509.Certificate{
		SerialNumber:          serial.Rsh(serial, 80),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.AddDate(1, 0, 0),
		BasicConstraintsValid: true,
	}
}

// issue signs a certificate for a new key. Without a signer the certificate signs itself.
func issue(t, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*ecdsa.PrivateKey, []byte,
	error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("emulator: make key: %w", err)
	}
	if signer == nil {
		signer = key
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, key.Public(), signer)
	if err != nil {
		return nil, nil, fmt.Errorf("emulator: make certificate: %w", err)
	}
	return key, der, nil
}
