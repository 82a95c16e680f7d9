#include "handlers/base/sha1.h"

#include <openssl/evp.h>

#include "handlers/base/errors.h"

namespace syncline {

struct Sha1::State {
  State() : context(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    if (context == nullptr || EVP_DigestInit_ex(context.get(), EVP_sha1(), nullptr) != 1) {
      throw Error(ErrorKind::kInternal, "internal", "SHA-1 is not available");
    }
  }
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context;
};

Sha1::Sha1() : state_(std::make_unique<State>()) {}
Sha1::~Sha1() = default;

void Sha1::Add(std::string_view bytes) {
  EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size());
}

std::string Sha1::Finish() {
  std::string hash(20, '\0');
  EVP_DigestFinal_ex(state_->context.get(), reinterpret_cast<unsigned char*>(hash.data()), nullptr);
  return hash;
}

}  // namespace syncline
