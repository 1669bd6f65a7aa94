/*
 * plugin_file.c - what a plugin's file says of itself (see plugin_file.h).
 *
 * Reads ELF of this machine's own kind: the section of dynamic symbols, and
 * through the program headers the bytes that a symbol stands for. Every offset
 * of the file is checked against its size before it is followed.
 */
#include "fed_config.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/flurmfed/plugin_file.h"

typedef struct {
	const uint8_t *data;
	size_t size;
	const ElfW(Ehdr) *head;
	const ElfW(Sym) *sym;
	size_t sym_cnt;
	const char *str;
	size_t str_size;
} elf_t;

/* RET count things of that size at offset, or NULL: not in the file */
static const void *_at(const elf_t *elf, uint64_t offset, uint64_t size,
		       uint64_t count)
{
	if ((offset > elf->size) ||
	    (count && (size > (elf->size - offset) / count)) ||
	    (offset % ((size < 8) ? _Alignof(uint32_t) : _Alignof(uint64_t))))
		return NULL;
	return elf->data + offset;
}

static bool _has_head(elf_t *elf)
{
	const ElfW(Ehdr) *head = _at(elf, 0, sizeof(*head), 1);

	if (!head || memcmp(head->e_ident, ELFMAG, SELFMAG) ||
	    (head->e_ident[EI_CLASS] !=
	     ((sizeof(void *) == 8) ? ELFCLASS64 : ELFCLASS32)) ||
	    (head->e_type != ET_DYN) ||
	    (head->e_shentsize != sizeof(ElfW(Shdr))) ||
	    (head->e_phentsize != sizeof(ElfW(Phdr))))
		return false;
	elf->head = head;
	return true;
}

/* RET true if there is a table of dynamic symbols */
static bool _find_symbols(elf_t *elf)
{
	const ElfW(Shdr) *section = _at(elf, elf->head->e_shoff,
					sizeof(*section),
					elf->head->e_shnum);

	for (int i = 0; section && (i < elf->head->e_shnum); i++) {
		const ElfW(Shdr) *str;

		if ((section[i].sh_type != SHT_DYNSYM) ||
		    (section[i].sh_link >= elf->head->e_shnum))
			continue;
		str = &section[section[i].sh_link];
		elf->sym_cnt = section[i].sh_size / sizeof(*elf->sym);
		elf->sym = _at(elf, section[i].sh_offset, sizeof(*elf->sym),
			       elf->sym_cnt);
		elf->str_size = str->sh_size;
		if ((str->sh_offset <= elf->size) &&
		    (str->sh_size <= elf->size - str->sh_offset))
			elf->str = (const char *) elf->data + str->sh_offset;
		/* so that every name ends within it */
		return elf->sym && elf->str && elf->str_size &&
		       !elf->str[elf->str_size - 1];
	}
	return false;
}

static const char *_name(const elf_t *elf, const ElfW(Sym) *sym)
{
	return (sym->st_name < elf->str_size) ? elf->str + sym->st_name : "";
}

static int _open(const char *path, elf_t *elf, fed_err_t *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *data = MAP_FAILED;

	memset(elf, 0, sizeof(*elf));
	if ((fd < 0) || fstat(fd, &st)) {
		fed_err_set(err, errno, "%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	if (S_ISREG(st.st_mode) && st.st_size)
		data = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (data != MAP_FAILED) {
		elf->data = data;
		elf->size = st.st_size;
		if (_has_head(elf) && _find_symbols(elf))
			return 0;
		munmap(data, elf->size);
	}
	return fed_err_set(err, ENOEXEC,
			   "%s: not a shared object of this machine", path);
}

static void _close(elf_t *elf)
{
	munmap((void *) elf->data, elf->size);
}

/* RET the bytes that a symbol stands for, or NULL */
static const void *_value(const elf_t *elf, const ElfW(Sym) *sym, size_t size)
{
	const ElfW(Phdr) *part = _at(elf, elf->head->e_phoff, sizeof(*part),
				     elf->head->e_phnum);

	for (int i = 0; part && (i < elf->head->e_phnum); i++) {
		uint64_t skip = sym->st_value - part[i].p_vaddr;

		if ((part[i].p_type == PT_LOAD) &&
		    (sym->st_value >= part[i].p_vaddr) &&
		    (skip < part[i].p_filesz))
			return _at(elf, part[i].p_offset + skip, size, 1);
	}
	return NULL;
}

extern int plugin_file_version(const char *path, uint32_t *ret_version,
			       fed_err_t *err)
{
	const uint32_t *value = NULL;
	elf_t elf;

	if (_open(path, &elf, err))
		return -1;
	for (size_t i = 0; (i < elf.sym_cnt) && !value; i++) {
		if ((elf.sym[i].st_shndx != SHN_UNDEF) &&
		    /* a sanitizer makes it larger */
		    (elf.sym[i].st_size >= sizeof(*value)) &&
		    !strcmp(_name(&elf, &elf.sym[i]), "plugin_version"))
			value = _value(&elf, &elf.sym[i], sizeof(*value));
	}
	if (value)
		*ret_version = *value;
	_close(&elf);
	if (value)
		return 0;
	return fed_err_set(err, ENOEXEC, "%s: not a Slurm plugin", path);
}

extern int plugin_file_symbols(const char *path,
			       void (*each)(void *arg, const char *name,
					    bool defined),
			       void *arg, fed_err_t *err)
{
	elf_t elf;

	if (_open(path, &elf, err))
		return -1;
	for (size_t i = 0; i < elf.sym_cnt; i++) {
		const char *name = _name(&elf, &elf.sym[i]);

		if (name[0])
			each(arg, name, elf.sym[i].st_shndx != SHN_UNDEF);
	}
	_close(&elf);
	return 0;
}
